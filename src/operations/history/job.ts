/**
 * A backfill, and a comparison of what Drift lists with what came: jobs that go through Drift's lists page by page. One that
 * was interrupted goes on at the page at which it was; what it had sent of that page is known by its natural key.
 */
import type { JobKind, Stepped, Work } from '../jobs.ts'
import { pageListed } from './arrivals.ts'
import { type BringNeeds, bringOne, type Means, type NoGrant } from './bring.ts'
import { afterList, type Cursor, cursorIn, written } from './cursor.ts'
import { keptEveryMs } from './estimate.ts'
import { type HistoryInput, type HistoryKind, span } from './input.ts'
import { judge } from './judge.ts'
import { countLook } from './look.ts'
import { conversations, meetings, type Pages } from './read.ts'
import { openSession, type Session } from './session.ts'
import { actsOf } from './start.ts'
import {
  backfilledSoFar,
  countLate,
  countPage,
  countSent,
  countSpeed,
  forgetSpeed,
  type Tally,
  tallyOf,
} from './tally.ts'
import { whyMissing } from './why-missing.ts'

/** One step of a job, in one process. */
interface Stage {
  needs: BringNeeds
  name: HistoryKind
  work: Work<HistoryInput>
  session: Session
  cursor: Cursor
  tally: Tally
}

/** So many of a page in one step, three seconds' work: a step that must end ends with its next request. */
const atOnce = 12

/** What comes live between two steps finds the process and its store free. */
const restMsMax = 20

/** As long as the step took, but not for the time in which it waited for Drift; and until as much may be kept again as it has kept. */
function restMs(session: Session, tookMs: number): number {
  const { kept } = session
  session.kept = 0
  return Math.max(Math.min(tookMs, restMsMax), kept * keptEveryMs - tookMs)
}

export function historyKind(name: HistoryKind, needs: BringNeeds): JobKind<HistoryInput> {
  const sessions = new WeakMap<AbortSignal, Session>()

  function sessionOf(work: Work<HistoryInput>): Session {
    const session = sessions.get(work.signal) ?? openSession(needs, work)
    sessions.set(work.signal, session)
    return session
  }

  function close({ signal }: Work<HistoryInput>): void {
    sessions.get(signal)?.close()
    sessions.delete(signal)
  }

  return {
    kind: name,
    atOnce: 8,
    async step(work) {
      const install = needs.accounts.get(work.org)
      if (!install || install.state === 'disconnected')
        return { is: 'failed', counts: work.counts, reason: install ? 'disconnected' : 'not_installed' }
      try {
        const startedAt = needs.clock.monotonic()
        const session = sessionOf(work)
        const stepped = await stepOf(needs, name, work, session)
        if (stepped.is === 'on') return { ...stepped, waitMs: restMs(session, needs.clock.monotonic() - startedAt) }
        if (stepped.is === 'done' || stepped.is === 'failed') close(work)
        // Leaving ends the grant, and is why it has ended.
        const hasLeft = needs.accounts.get(work.org)?.state === 'disconnected'
        return stepped.is === 'failed' && hasLeft ? { ...stepped, reason: 'disconnected' } : stepped
      } catch (error) {
        // What was in hand is in an unknown state: the next step begins the page again.
        close(work)
        throw error
      }
    },
    async soFar({ org, input, cursor, counts }) {
      if (cursor === undefined || input.dryRun) return counts
      const tally = tallyOf(counts)
      await count({ needs, org, input, cursor: cursorIn(cursor), tally })
      forgetSpeed(tally)
      // What is left of the page neither came before nor was sent.
      return { ...tally.counts, known: counts.known ?? 0 }
    },
    ended({ who, input, counts }, state) {
      const found = name === 'backfill' ? 'would be sent' : 'missing'
      const done = input.dryRun ? `${counts.missing ?? 0} ${found}` : `${counts.sent ?? 0} sent`
      return { who, act: actsOf(name, input.dryRun).ended, about: `${span(input)}: ${done}, ${state}` }
    },
  }
}

async function stepOf(
  needs: BringNeeds,
  name: HistoryKind,
  work: Work<HistoryInput>,
  session: Session,
): Promise<Stepped> {
  // What a dry run has seen is in this process alone, and quickly seen again.
  const isLost = work.input.dryRun && !session.hasBegun
  const cursor = work.cursor === undefined || isLost ? await firstCursor(needs, work, session) : cursorIn(work.cursor)
  session.hasBegun = true
  const tally = tallyOf(session.pages === undefined ? cursor.counts : work.counts)
  if (session.total !== undefined) tally.counts.total = session.total
  session.tally = tally
  const stage: Stage = { needs, name, work, session, cursor, tally }
  if (session.left.length === 0) {
    session.pages ??= pagesOf(stage)
    const page = await session.pages.next()
    if (page.done) return listDone(stage, page.value)
    await takeUp(stage, page.value)
  } else {
    const ended = await doSome(stage)
    if (ended) return { is: 'failed', counts: tally.counts, reason: ended.reason }
  }
  return session.left.length > 0 ? on(stage, cursor) : pageDone(stage)
}

/** Judges a page, and says what of it is to be done. */
async function takeUp({ needs, name, work, session, cursor, tally }: Stage, page: Page): Promise<void> {
  const listed = page.listed.filter(({ id }) => !session.previous.has(id))
  session.previous = new Set(page.listed.map(({ id }) => id))
  const about = { window: work.input, now: needs.clock.now() }
  const judged = await judge(needs, work.org, pageFor(needs, cursor), listed, about)
  // The first reading counts what there is; the next ones find what was not there yet.
  if (cursor.pass === 0) countPage(tally, judged, page.unreadable, work.input.dryRun)
  session.left = judged.filter(({ is, contactKnown, contactId }) => {
    const ofKnown = name === 'backfill' && is === 'known' && cursor.pass === 0 && contactId !== undefined
    return is === 'missing' || (ofKnown && !contactKnown)
  })
}

type Page = Extract<Awaited<ReturnType<Pages['next']>>, { done?: false }>['value']

/** What it resolves to ends the job. */
async function doSome(stage: Stage): Promise<NoGrant | undefined> {
  const { needs, name, work, session, cursor, tally } = stage
  const { org, input, signal } = work
  const page = pageFor(needs, cursor)
  const some = session.left.slice(0, input.dryRun ? session.left.length : atOnce)
  const withContacts = name === 'backfill'
  if (input.dryRun) {
    const why = withContacts ? [] : await whyMissing(needs, org, page.type, some)
    countLook(tally, session.seen, some, { type: page.type, withContacts, why })
  } else {
    const { drift, reading, without } = session
    const said = cursor.pass === 0 ? tally.add : () => {}
    const means: Means = { drift, org, page, withContacts, reading, without, signal, add: said }
    // All of them have ended before the page may be begun again: nothing asks Drift behind the next step's back.
    const outcomes = await Promise.allSettled(some.map((one) => bringOne(needs, means, one)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    const [ended] = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' && typeof outcome.value === 'object' ? [outcome.value] : [],
    )
    if (ended) return ended
    const kept = some.filter((_, at) => outcomes[at]?.status === 'fulfilled' && outcomes[at].value === 'kept')
    cursor.newInPass += kept.length
    session.kept += kept.length
    if (cursor.pass > 0) for (const one of kept) countLate(tally, one, cursor.startedAt)
  }
  session.left.splice(0, some.length)
  session.reading.clear()
  return undefined
}

function pagesOf({ needs, session, cursor }: Stage): Pages {
  if (cursor.phase === 'meetings') return meetings(session.drift, needs.clock.now())
  return conversations(session.drift, cursor.updatedFrom, cursor.place, (place) => {
    session.next = place
  })
}

function pageFor({ catalogue }: BringNeeds, { phase }: Cursor) {
  return pageListed(catalogue, phase)
}

function on({ tally, session }: Stage, cursor: Cursor): Stepped {
  return { is: 'on', cursor: written(cursor, session.drift), counts: tally.counts }
}

async function pageDone(stage: Stage): Promise<Stepped> {
  const { session, cursor, tally } = stage
  await count({ ...stage.work, ...stage })
  const byPosition = cursor.byPosition || session.next?.next?.by === 'next'
  const place = session.next ?? cursor.place
  const isFirst = cursor.phase === 'conversations' && cursor.pass === 0
  const lately = isFirst ? countSpeed(tally, cursor.lately, stage.needs.clock.now()) : cursor.lately
  return on(stage, { ...cursor, byPosition, place, lately, counts: { ...tally.counts } })
}

interface Counting extends Pick<Work<HistoryInput>, 'org' | 'input'> {
  needs: BringNeeds
  cursor: Pick<Cursor, 'before'>
  tally: Tally
}

async function count({ needs, org, input, cursor, tally }: Counting): Promise<void> {
  if (input.dryRun) return
  const { type } = pageListed(needs.catalogue, 'contacts')
  countSent(tally, type, cursor.before, await backfilledSoFar(needs, org))
}

type Ended = Extract<Awaited<ReturnType<Pages['next']>>, { done: true }>['value']

async function listDone(stage: Stage, ended: Ended): Promise<Stepped> {
  const { needs, name, work, session, cursor, tally } = stage
  session.pages = undefined
  session.previous = new Set()
  forgetSpeed(tally)
  await count({ ...stage.work, ...stage })
  const { counts } = tally
  const failed = (reason: string): Stepped => ({ is: 'failed', counts, reason })
  if (ended.is === 'no_grant') return failed(ended.reason)
  const isBarred = ended.is === 'forbidden'
  if (cursor.phase === 'conversations') {
    if (isBarred) return failed('drift_forbidden')
    if (ended.is === 'endless') return failed('drift_endless')
    if (ended.is !== 'end') return failed('drift_refused')
    const next = afterList(cursor, needs.clock.now(), work.input.dryRun)
    return on(stage, { ...next, counts: { ...counts } })
  }
  if (isBarred) counts.barred_meetings = 1
  // Conversations have all been read by then, and starting again would end here again.
  else if (ended.is !== 'end') counts.unread_meetings = 1
  if (name === 'backfill' && work.input.dryRun) await tryContact(session, counts)
  if (counts.why_unknown) needs.log.warn('history_missing', { org: work.org, missing: counts.why_unknown })
  return { is: 'done', counts }
}

/** Whether Drift lets contacts be read: one of them says it. */
async function tryContact({ drift, seen }: Session, counts: Record<string, number>): Promise<void> {
  const [first] = seen.contacts
  if (first !== undefined && (await drift.contact(first)).is === 'forbidden') counts.barred_contacts = 1
}

async function firstCursor(needs: BringNeeds, work: Work<HistoryInput>, { drift }: Session): Promise<Cursor> {
  const now = needs.clock.now()
  const { from, to, dryRun } = work.input
  return {
    phase: 'conversations',
    pass: 0,
    startedAt: now,
    passStartedAt: now,
    updatedFrom: from,
    place: {},
    byPosition: false,
    newInPass: 0,
    lately: [{ at: now, looked: 0 }],
    // The input goes when a job has ended; people want to know what it was about.
    counts: { ...(dryRun ? { dry_run: 1 } : {}), from_day: dayOf(from), to_day: dayOf(to - 1) },
    before: await backfilledSoFar(needs, work.org),
    pace: drift.pace(),
  }
}

/** A day as a number that people can read, such as 20250601: counts are numbers. 0 for the beginning. */
function dayOf(at: number): number {
  return at > 0 ? Number(new Date(at).toISOString().slice(0, 10).replaceAll('-', '')) : 0
}
