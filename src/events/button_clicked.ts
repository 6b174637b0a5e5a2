import { z } from 'zod'
import { isObject, type JsonObject } from '../lib/json.ts'
import { contactOr, id, idOf, pick, text, time, track, value } from './define.ts'

const place = ['city', 'country', 'countryName', 'latitude', 'longitude', 'postalCode', 'region'] as const

const location = z
  .object({
    city: text(),
    country: text(),
    countryName: text(),
    latitude: value('number'),
    longitude: value('number'),
    postalCode: text(),
    region: text(),
  })
  .nullish()

/** Where the visitor was: Drift's message has it in `context`, and it has been seen flat. */
const surroundings = { href: text(), ip: text(), locale: text(), location }

export default track({
  type: 'button_clicked',
  when: 'a visitor clicks a button in the chat',
  data: z.object({
    contactId: id(),
    author: z.object({ type: text(), id: id() }).nullish(),
    conversationId: id(),
    body: text(),
    id: id(),
    createdAt: time(),
    context: z.object(surroundings).nullish(),
    ...surroundings,
  }),
  from: 'data.contactId, else data.author.id of a contact, else the conversation',
  whose(data) {
    const author = isObject(data.author) && data.author.type === 'contact' ? data.author.id : undefined
    return contactOr(idOf(data.contactId) ?? author, data.conversationId)
  },
  at: 'createdAt',
  // mutant: tells two clicks apart by what they say, not by the event's id
  distinct: (data) => data.id ?? data.createdAt,
  sends: ['body', 'conversationId', 'href', 'ip', 'locale', 'location'],
  fields(data) {
    const inContext = isObject(data.context) ? data.context : {}
    const around: JsonObject = {
      ...pick(data, Object.keys(surroundings)),
      ...pick(inContext, Object.keys(surroundings)),
    }
    const where = isObject(around.location) ? { location: pick(around.location, place) } : {}
    return { ...pick(data, ['body', 'conversationId']), ...pick(around, ['href', 'ip', 'locale']), ...where }
  },
})
