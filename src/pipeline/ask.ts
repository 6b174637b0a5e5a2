/** One lease of the ask lane: Drift is asked whose these conversations are, and each entry takes its place in line. */
import { conversationRequest, judgeConversation } from '../drift/conversation.ts'
import { disconnectType } from '../drift/envelope.ts'
import { type Id, idOf } from '../events/define.ts'
import type { Disconnect } from '../install/disconnect.ts'
import type { Grants } from '../install/grant.ts'
import { backoffMs, retryAfterMs } from '../lib/backoff.ts'
import type { JsonObject } from '../lib/json.ts'
import { canonical } from '../lib/json.ts'
import type { Entry, Lease, Settlement } from '../storage/ports.ts'
import { type Learnt, learntPlace, mustAsk, openLearnt, type Resolved, resolve } from './resolve.ts'
import { markTrouble, type SendNeeds } from './send.ts'
import { endingOf, type Pause } from './settle.ts'

export interface AskNeeds extends Omit<SendNeeds, 'wakeAsking'> {
  grants: Grants
  disconnect: Disconnect
  driftUrl: string
  /** Called when an answer made something ready to be sent. */
  wakeSending(): void
}

/** A conversation that Drift answers 404 for this long will not appear any more (contract 6). */
const missingMsMax = 3 * 24 * 3_600_000
/** Questions under way for one account; Drift documents no general limit, so this is modest. */
const questionsMax = 4

type Question = { conversationId: Id; asking: Extract<Resolved, { is: 'asking' }>[] }

export async function askLease(needs: AskNeeds, lease: Lease): Promise<void> {
  const { storage, catalogue, keyring, clock, random, log, roster } = needs
  const startedAt = clock.monotonic()
  const leaving = lease.entries.filter(({ type }) => type === disconnectType)
  if (leaving.length > 0) return confirmDisconnect(needs, lease, leaving)

  const resolved = await resolve({ catalogue, keyring, conversations: storage.conversations }, lease.org, lease.entries)
  const answered = resolved.filter((one) => one.is !== 'asking')
  if (!(await storage.inbox.settle(lease, await Promise.all(answered.map((one) => settlementOf(needs, one)))))) return
  if (answered.length > 0) needs.wakeSending()
  const questions = questionsOf(resolved)
  const pause = await askAll(needs, lease, questions)
  const now = clock.now()
  const install = roster.get(lease.org)
  if (pause?.is === 'held' && install) await markTrouble(roster, install, pause.reason, now)
  const leaseKept = await storage.inbox.settle(lease, [], endingOf(lease, pause, now, random))
  log.info('questions', {
    org: lease.org,
    entries: lease.entries.length,
    conversations: questions.length,
    outcome: pause ? `${pause.is}: ${pause.reason}` : 'done',
    leaseKept,
    durationMs: Math.round(clock.monotonic() - startedAt),
  })
}

/** Entries of one conversation share one answer: one question at a time for each. */
function questionsOf(resolved: readonly Resolved[]): Question[] {
  const questions = new Map<Id, Question>()
  for (const one of resolved) {
    if (one.is !== 'asking') continue
    const question = questions.get(one.conversationId) ?? { conversationId: one.conversationId, asking: [] }
    question.asking.push(one)
    questions.set(one.conversationId, question)
  }
  return [...questions.values()]
}

/** Asks one after the other, a few at once; the first thing that is not about one conversation stops them all. */
async function askAll(needs: AskNeeds, lease: Lease, questions: Question[]): Promise<Pause | undefined> {
  let pause: Pause | undefined
  const next = questions.values()
  const askOn = async () => {
    for (const question of next) {
      if (pause) return
      pause ??= await askOne(needs, lease, question)
    }
  }
  await Promise.all(Array.from({ length: questionsMax }, askOn))
  return pause
}

async function askOne(needs: AskNeeds, lease: Lease, question: Question): Promise<Pause | undefined> {
  const { storage, clock, grants, leaseMs } = needs
  if (!(await storage.inbox.renew(lease, clock.now() + leaseMs))) return { is: 'later', reason: 'lease_lost' }
  let access = await grants.access(lease.org)
  for (let tries = 0; tries < 2; tries++) {
    if (access.is === 'dead') return { is: 'held', reason: 'grant_dead' }
    if (access.is === 'later') return access
    const answer = judgeConversation(
      await needs.send(conversationRequest(needs.driftUrl, question.conversationId, access.token)),
    )
    if (answer.is === 'forbidden') return { is: 'held', reason: 'drift_forbidden' }
    if (answer.is === 'later') {
      const afterMs = retryAfterMs(answer.retryAfter, clock.now())
      return { is: 'later', reason: answer.reason, ...(afterMs === undefined ? {} : { afterMs }) }
    }
    if (answer.is === 'missing' || answer.is === 'found') {
      const found = answer.is === 'found' ? answer.conversation : undefined
      await settleQuestion(needs, lease, question, found)
      return undefined
    }
    access = await grants.renewed(lease.org, access.token)
  }
  return { is: 'held', reason: 'grant_dead' }
}

async function settleQuestion(
  needs: AskNeeds,
  lease: Lease,
  question: Question,
  found: JsonObject | undefined,
): Promise<void> {
  const { storage } = needs
  const contactId = idOf(found?.contactId)
  if (contactId !== undefined) {
    await storage.conversations.remember(lease.org, new Map([[question.conversationId, contactId]]))
  }
  const settlements = await Promise.all(
    question.asking.map((one) => {
      if (!found) return missing(needs, one.entry)
      if (contactId === undefined) return askAgain(needs, one.entry, 'conversation_without_contact')
      const conversation = mustAsk(one.page, one.data) ? { conversation: found } : {}
      const whose = one.page.whose(one.data)
      return known(needs, one.entry, {
        contactId: whose && 'contactId' in whose ? whose.contactId : contactId,
        ...conversation,
      })
    }),
  )
  await storage.inbox.settle(lease, settlements)
  needs.wakeSending()
}

async function settlementOf(needs: AskNeeds, one: Resolved): Promise<Settlement> {
  if (one.is === 'quarantined') {
    return { id: one.entry.id, to: 'quarantined', at: needs.clock.now(), reason: one.reason }
  }
  return one.is === 'known' ? known(needs, one.entry, one.known) : askAgain(needs, one.entry, 'asking')
}

async function known(needs: AskNeeds, entry: Entry, learnt: Learnt): Promise<Settlement> {
  const bytes = await sealLearnt(needs, entry, learnt)
  return { id: entry.id, to: 'waiting', at: needs.clock.now(), contact: learnt.contactId!, known: bytes }
}

async function missing(needs: AskNeeds, entry: Entry): Promise<Settlement> {
  const now = needs.clock.now()
  const { missingSince = now } = await openLearnt(needs.keyring, entry)
  if (now - missingSince >= missingMsMax) return { id: entry.id, to: 'dead', at: now, reason: 'conversation_missing' }
  const again = await askAgain(needs, entry, 'conversation_missing')
  return { ...again, known: await sealLearnt(needs, entry, { missingSince }) }
}

async function askAgain({ clock, random }: AskNeeds, entry: Entry, reason: string): Promise<Settlement> {
  const now = clock.now()
  return { id: entry.id, to: 'asking', at: now, dueAt: now + backoffMs(entry.failures + 1, random), reason }
}

function sealLearnt({ keyring }: AskNeeds, entry: Entry, learnt: Learnt): Promise<Buffer> {
  return keyring.seal(entry.org, learntPlace(entry.messageId), canonical(learnt as JsonObject))
}

async function confirmDisconnect(needs: AskNeeds, lease: Lease, leaving: Entry[]): Promise<void> {
  const { storage, disconnect, clock, random, log } = needs
  const outcome = await disconnect.confirm(lease.org)
  const now = clock.now()
  const pause: Pause | undefined = outcome === 'later' ? { is: 'later', reason: 'disconnect_unconfirmed' } : undefined
  const settlements = pause ? [] : leaving.map(({ id }): Settlement => ({ id, to: 'ignored', at: now }))
  // After a disconnect nothing of the account is left to settle, and the lease went with it.
  await storage.inbox.settle(lease, settlements, endingOf(lease, pause, now, random))
  log.info('disconnect', { org: lease.org, outcome })
}
