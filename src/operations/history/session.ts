/** What a process holds of a backfill or a comparison between two steps: another one goes on without it. */
import { Problem } from '../../lib/errors.ts'
import type { Work } from '../jobs.ts'
import { type HistoryOfDrift, historyOfDrift } from './ask.ts'
import type { BringNeeds, Means } from './bring.ts'
import { countAll } from './count.ts'
import { cursorIn } from './cursor.ts'
import type { HistoryInput } from './input.ts'
import type { Judged } from './judge.ts'
import { newSeen, type Seen } from './look.ts'
import type { ConversationPlace, Pages } from './read.ts'
import { stuck, type Tally, tallyOf } from './tally.ts'

export interface Session {
  drift: HistoryOfDrift
  pages: Pages | undefined
  /** Where to go on when the page is done; undefined: the list ends with it. */
  next: ConversationPlace | undefined
  /** Ids of the page before: a list that shifts has its last ones again. */
  previous: Set<string>
  /** Of the page, what is still to be done. */
  left: Judged[]
  /** Conversations and meetings that the step under way has kept to be sent. */
  kept: number
  seen: Seen
  /** The numbers of the step that is under way. */
  tally: Tally
  /** Contacts that are being read, each once, though several conversations are theirs. */
  reading: Means['reading']
  /** See Means. */
  without: Set<string>
  /** How many conversations Drift says there are, as soon as it has. */
  total: number | undefined
  hasBegun: boolean
  /** Nothing is asked for this session any more. */
  close(): void
}

export function openSession(
  needs: BringNeeds,
  { org, cursor, counts, input, lease, until, tell, signal }: Work<HistoryInput>,
): Session {
  const closing = new AbortController()
  const from = cursor === undefined ? undefined : cursorIn(cursor).pace
  const confirm = async () => {
    if ((await needs.jobs.renew(lease, until())) === 'lost')
      throw new Problem('job_lost', 'another process works on this job')
  }
  const failing = (reason: string | undefined) => {
    const soFar = session.tally.counts
    tell(reason === undefined ? soFar : { ...soFar, [stuck + reason]: 1 })
  }
  const reading = { from, confirm, failing, signal: AbortSignal.any([signal, closing.signal]) }
  const session: Session = {
    drift: historyOfDrift(needs, org, reading),
    pages: undefined,
    next: undefined,
    previous: new Set(),
    left: [],
    kept: 0,
    seen: newSeen(),
    tally: tallyOf(counts),
    reading: new Map(),
    without: new Set(),
    total: counts.total,
    hasBegun: false,
    close: () => closing.abort(),
  }
  if (session.total === undefined) void count(session, input.from, needs.clock.now())
  return session
}

/** Beside the reading: it may take a minute, and where Drift does not say it, only the remaining time is not known. */
async function count(session: Session, from: number, now: number): Promise<void> {
  session.total = await countAll(session.drift, from, now).catch(() => undefined)
}
