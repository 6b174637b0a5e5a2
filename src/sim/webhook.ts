/** Webhooks as Drift makes them, varied from the fixtures beside the event pages: `src/events/<type>.json`. */
import type { Fixture } from '../events/fixtures.ts'
import { isExactNumber, isObject, type Json, type JsonObject, numberOf } from '../lib/json.ts'

/** How a webhook differs from its fixture. */
export interface Variation {
  /** Replaces the account everywhere the webhook names it. */
  orgId?: number
  /** Makes the n-th different event of the same kind: adds n to its own ids and times. 0, the default: the fixture. */
  vary?: number
  /** Adds n to the contact's id: another person. */
  contact?: number
}

/** The webhook and its conversation, varied alike, so that a look-up of one finds the other. Key order is kept. */
export function vary({ drift, conversation }: Fixture, variation: Variation): Pick<Fixture, 'drift' | 'conversation'> {
  const { data } = drift
  const varied = withOrg(
    { ...drift, ...(isObject(data) ? { data: varyFields(data, variation) } : {}) },
    variation.orgId,
  )
  if (!conversation) return { drift: varied }
  return { drift: varied, conversation: withOrg(varyFields(conversation, variation), variation.orgId) }
}

const ids = new Set(['id', 'conversationId'])
const times = new Set(['createdAt', 'updatedAt', 'pushedAt', 'timestamp', 'scheduledAt', 'changedAt'])
const names = new Set(['eventId', 'goalId'])
const contacts = new Set(['contactId', 'endUserId', 'schedulerId'])

function varyFields(fields: JsonObject, { vary: n = 0, contact = 0 }: Variation): JsonObject {
  const varied: JsonObject = {}
  for (const [name, value] of Object.entries(fields)) {
    // A time of 0 is Drift's way to say that there is none (meetings' updatedAt), and stays.
    if (ids.has(name) || (times.has(name) && value !== 0)) varied[name] = add(value, n)
    else if (names.has(name) && n !== 0) varied[name] = `${value}-${n}`
    else if (contacts.has(name)) varied[name] = add(value, contact)
    else if (name === 'authorId' && fields.authorType === 'contact') varied[name] = add(value, contact)
    else if (name === 'author' && isObject(value) && value.type === 'contact')
      varied[name] = { ...value, id: add(value.id ?? null, contact) }
    else varied[name] = value
  }
  return varied
}

function add(value: Json, n: number): Json {
  const digits = isExactNumber(value) ? value.rawJSON : typeof value === 'number' ? String(value) : ''
  return n !== 0 && /^\d+$/.test(digits) ? numberOf(String(BigInt(digits) + BigInt(n))) : value
}

/** The same, said to come from another account: wherever it names its own. */
export function withOrg(fields: JsonObject, orgId: Json | undefined): JsonObject {
  if (orgId === undefined) return fields
  const { data } = fields
  return {
    ...fields,
    ...('orgId' in fields ? { orgId } : {}),
    ...(isObject(data) && 'orgId' in data ? { data: { ...data, orgId } } : {}),
  }
}
