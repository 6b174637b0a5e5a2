/** The webhooks of torture and simulation: each carries a mark that comes out again in what Segment receives. */
import { isObject, type Json, type JsonObject } from '../src/lib/json.ts'
import type { Options } from '../src/mapping/options.ts'
import type { Expected } from './ledger.ts'

export interface Webhook {
  mark: string
  org: string
  contact: string
  expected: Expected
  inOrder: boolean
  /** False for events with no id and no time of their own: sent again after ten minutes they are two events. */
  mayRepeat: boolean
  body: JsonObject
  /** What Drift must know, so that it can be asked. */
  conversation?: JsonObject
}

/** Inside the range of times that are believed. */
const baseMs = 1_714_000_000_000
/** Ids of contacts and conversations, so that no number of one kind is one of another. */
const contactBase = 20_000_000_000
const conversationBase = 3_000_000_000

/** The kinds of events that are posted. */
export type Kind =
  | 'begun'
  | 'updated'
  | 'clicked'
  | 'asked'
  | 'met'
  | 'poisoned'
  | 'oversized'
  | 'essay'
  | 'shapeless'
  | 'foreign'

export const kinds: Record<Kind, (org: string, contact: number, n: number) => Webhook> = {
  /** Says itself whose it is, and begins a conversation. */
  begun: (org, contact, n) =>
    made(`new_conversation:${n}`, org, contact, 'new_conversation', {
      id: conversationBase + n,
      contactId: contactBase + contact,
      inboxId: 642_330,
      status: 'open',
      createdAt: baseMs + n,
    }),
  updated: (org, contact, n) =>
    made(`contact_updated:${n}`, org, contact, 'contact_updated', {
      endUserId: contactBase + contact,
      timestamp: baseMs + n,
      diff: [
        { name: 'attributes.mark', updated: n },
        { name: 'attributes.name', updated: `Zoë 🦊 ${n}` },
      ],
    }),
  clicked: (org, contact, n) =>
    made(`button_clicked:${n}`, org, contact, 'button_clicked', {
      id: n,
      contactId: contactBase + contact,
      body: `${n}`,
      createdAt: baseMs + n,
    }),
  /** Drift must be asked whose conversation it is. */
  asked: (org, contact, n) => ({
    ...made(`conversation_participant_added:${n}`, org, contact, 'conversation_participant_added', {
      conversationId: 2 * conversationBase + n,
      addedParticipants: [2_203_672],
      changedAt: baseMs + n,
    }),
    inOrder: false,
    conversation: {
      id: 2 * conversationBase + n,
      contactId: contactBase + contact,
      orgId: Number(org),
      inboxId: 642_330,
      createdAt: baseMs + n,
      status: 'open',
    },
  }),
  /** No id and no time of its own. */
  met: (org, contact, n) => ({
    ...made(`playbook_goal_met:${n}`, org, contact, 'playbook_goal_met', {
      contactId: contactBase + contact,
      goalId: `${n}`,
      goalName: 'Booked',
      playbookId: 2_750_462,
    }),
    mayRepeat: false,
  }),
  /** Segment refuses the batch it is in (see `isPoison`). */
  poisoned: (org, contact, n) => ({
    ...made(`contact_updated:${n}`, org, contact, 'contact_updated', {
      endUserId: contactBase + contact,
      timestamp: baseMs + n,
      diff: [
        { name: 'attributes.mark', updated: n },
        { name: 'attributes.poison', updated: true },
      ],
    }),
    expected: 'dead',
  }),
  oversized: (org, contact, n) => ({
    ...made(`contact_updated:${n}`, org, contact, 'contact_updated', {
      endUserId: contactBase + contact,
      timestamp: baseMs + n,
      diff: [
        { name: 'attributes.mark', updated: n },
        { name: 'attributes.essay', updated: 'ß'.repeat(20_000) },
      ],
    }),
    expected: 'dead',
  }),
  /** Much is kept of it, and little is sent. */
  essay: (org, contact, n) => {
    const webhook = kinds.updated(org, contact, n)
    return { ...webhook, body: { ...webhook.body, more: 'x'.repeat(200_000) } }
  },
  shapeless: (org, contact, n) => ({
    ...made(`new_conversation:${n}`, org, contact, 'new_conversation', { id: [conversationBase + n], createdAt: n }),
    expected: 'held',
  }),
  foreign: (org, contact, n) => ({
    ...made(`conversation_tagged:${n}`, org, contact, 'conversation_tagged', { id: n }),
    expected: 'ignored',
  }),
}

function made(mark: string, org: string, contact: number, type: string, data: JsonObject): Webhook {
  const body = { type, orgId: Number(org), data }
  return {
    mark,
    org,
    contact: String(contactBase + contact),
    expected: 'delivered',
    inOrder: true,
    mayRepeat: true,
    body,
  }
}

/** What Segment's side refuses: the poison itself, alone or among others. */
export function isPoison(message: JsonObject): boolean {
  return (message.traits as JsonObject | undefined)?.poison === true
}

/** What the second destination of an account gets otherwise than the first: some of each kind, but what a mark is read from. */
export const secondOptions = {
  externalIds: true,
  safeNames: true,
  drop: ['inboxId'],
  hash: ['name'],
  rename: { events: { new_conversation: 'Chat Started' }, fields: { status: 'state' } },
} as const satisfies Options

/** Whether a message is as these options make it. */
export function isAsChosen({ event, context, properties, traits }: JsonObject): boolean {
  const fields = (properties ?? traits ?? {}) as JsonObject
  const { name } = fields
  return (
    (context as JsonObject).externalIds !== undefined &&
    event !== 'Drift Source Event: new_conversation' &&
    !['inboxId', 'status'].some((field) => field in fields) &&
    (fields.id === undefined || event !== 'Chat Started' || fields.conversationId === fields.id) &&
    (name === undefined || /^[0-9a-f]{64}$/.test(String(name)))
  )
}

/** The mark of a message as Segment receives it; undefined when it is none of ours. */
export function markOf(message: JsonObject): string | undefined {
  const said = (message.properties ?? message.traits ?? {}) as Record<string, unknown>
  if (message.type === 'identify') return said.mark === undefined ? undefined : `contact_updated:${said.mark}`
  const isRenamed = message.event === secondOptions.rename.events.new_conversation
  const type = isRenamed ? 'new_conversation' : /^Drift Source Event: (\w+)$/.exec(String(message.event))?.[1]
  const number: Partial<Record<string, unknown>> = {
    new_conversation: Number(said.id) - conversationBase,
    button_clicked: said.body,
    conversation_participant_added: Number(said.changedAt) - baseMs,
    playbook_goal_met: said.goalId,
  }
  return type !== undefined && number[type] !== undefined ? `${type}:${number[type]}` : undefined
}

/** The same event as Drift might spell it another time: its keys in another order. */
export function respelled(body: JsonObject): JsonObject {
  return turned(body) as JsonObject
}

function turned(value: Json): Json {
  if (Array.isArray(value)) return value.map(turned)
  if (!isObject(value)) return value
  const reversed = Object.entries(value).reverse()
  return Object.fromEntries(reversed.map(([key, inner]) => [key, turned(inner)]))
}
