/** What an account has at Drift from before: half a year of conversations, so that there is a history to bring in. */
import type { JsonObject } from '../lib/json.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const days = 180
const firstConversation = 3_900_000_000
const firstContact = 21_700_000_000
const names = ['Ada', 'Ben', 'Chloe', 'Dara', 'Emil', 'Farah', 'Goran', 'Hana', 'Ivo', 'Jun']
const families = ['Adler', 'Brook', 'Costa', 'Dietz', 'Evans', 'Fonte', 'Gruber']
const plans = ['free', 'team', 'business']

export interface Past {
  conversations: JsonObject[]
  contacts: JsonObject[]
  meetings: JsonObject[]
}

/** The same each time, but for the moment that it ends at: an hour and more before `now`. */
export function pastOf(now: number, many = 240): Past {
  const contacts = Array.from({ length: Math.ceil((many * 2) / 3) }, (_, n) => contact(n, now))
  const conversations = Array.from({ length: many }, (_, n) => {
    const createdAt = Math.round(now - 2 * hourMs - (n / many) ** 2 * days * dayMs)
    return {
      id: firstConversation + n,
      contactId: firstContact + (n % contacts.length),
      status: n % 3 === 0 ? 'open' : 'closed',
      inboxId: 642_330,
      createdAt,
      updatedAt: createdAt + 12 * 60_000,
    }
  })
  const meetings = conversations
    .filter(({ createdAt }, n) => n % 8 === 3 && createdAt > now - 20 * dayMs)
    .map(({ id, contactId, createdAt }, n) => ({
      eventId: `past-meeting-${n}`,
      agentId: 2_322_756,
      schedulerId: contactId,
      conversationId: id,
      status: 'ACTIVE',
      meetingSource: 'PLAYBOOK_DROP',
      scheduledAt: createdAt + 5 * 60_000,
      slotStart: createdAt + dayMs,
      slotEnd: createdAt + dayMs + hourMs / 2,
      updatedAt: 0,
    }))
  return { conversations, contacts, meetings }
}

function contact(n: number, now: number): JsonObject {
  const [name, family] = [names[n % names.length]!, families[n % families.length]!]
  return {
    id: firstContact + n,
    createdAt: now - days * dayMs,
    attributes: {
      name: `${name} ${family}`,
      email: `${name}.${family}${n}@shop.example`.toLowerCase(),
      plan: plans[n % plans.length]!,
      // As Drift has them, and as they are not sent.
      _END_USER_VERSION: 7,
      tags: [],
      socialProfiles: {},
      phone: null,
    },
  }
}
