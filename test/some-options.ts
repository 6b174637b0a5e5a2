/** Options, attributes and events by the hundred, for what must hold for all of them. */
import fc from 'fast-check'
import type { Json, JsonObject } from '../src/lib/json.ts'
import type { Options } from '../src/mapping/options.ts'

const confirmed = 'visitors can type what they like there'
const fields = [
  ...['id', 'userId', 'status', 'ip', 'location', 'body', 'conversationId', 'agentId', 'createdAt', 'participants'],
  ...['email', 'seats', 'alias', 'note', 'phone', '_classification', 'nickname'],
]
const names = fc.uniqueArray(fc.constantFrom(...fields), { minLength: 1, maxLength: 5 })
const types = [
  'new_conversation',
  'conversation_push',
  'button_clicked',
  'contact_updated',
  'new_meeting',
  'phone_captured',
]

/** Any set of options that may be saved. */
export const someOptions: fc.Arbitrary<Options> = fc
  .record(
    {
      only: fc.record(
        { types: fc.uniqueArray(fc.constantFrom(...types), { minLength: 4 }), attributes: names },
        { requiredKeys: [] },
      ),
      userId: fc.constantFrom({ attribute: 'externalId' }, { attribute: 'email', confirmed }),
      anonymousId: fc.constant({ confirmed }),
      externalIds: fc.constant(true as const),
      consent: fc.record({
        attribute: fc.constant('consent'),
        otherwise: fc.constantFrom('send' as const, 'leave_out' as const),
      }),
      safeNames: fc.constant(true as const),
      liveChat: fc.constant(true as const),
      drop: names,
      hash: names,
      prefix: fc.constantFrom('', 'Drift: ', 'x'.repeat(100)),
      rename: fc.record(
        {
          events: fc.constantFrom({ new_conversation: 'Chat Started' }, { new_meeting: 'Meeting Booked' }),
          fields: fc.constantFrom({ status: 'state' }, { email: 'mail', seats: 'Seats', ip: 'address' }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  .map((options) => options as Options)

const ids = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.constantFrom<Json>('a12-1234', '0', 'null', '', null, 7, 1.5, true, { a: 1 }),
)

/** What Drift may say of a contact; undefined where it was not asked, or gave no answer. */
export const someAttributes: fc.Arbitrary<JsonObject | undefined> = fc.option(
  fc.record(
    {
      externalId: ids,
      email: ids,
      segment_anonymous_id: ids,
      consent: fc.oneof(fc.constantFrom<Json>({ Analytics: true }, '{"Analytics":false}', 'yes', null), ids),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
) as fc.Arbitrary<JsonObject | undefined>

/** An event that Segment takes with every option off: up to the last bytes of its limit. */
export const someEvent: fc.Arbitrary<{ type: string; data: JsonObject }> = fc.oneof(
  fc.record({ type: fc.constantFrom(...types), data: fc.constant({}) }),
  fc.record({
    type: fc.constant('contact_updated'),
    data: fc
      .uniqueArray(
        fc.tuple(
          fc.oneof(fc.constantFrom(...fields), fc.string({ minLength: 1, maxLength: 20 })),
          fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
        ),
        {
          minLength: 1,
          maxLength: 30,
          selector: ([name]) => name,
        },
      )
      .map((diff) => ({ diff: diff.map(([name, updated]) => ({ name: `attributes.${name}`, updated })) })),
  }),
  fc.record({
    type: fc.constantFrom('button_clicked', 'contact_updated'),
    data: fc.integer({ min: 30_900, max: 31_750 }).map(
      (length): JsonObject => ({
        body: 'b'.repeat(length - 400),
        diff: [
          { name: 'attributes.note', updated: 'n'.repeat(length - 100) },
          { name: 'attributes.email', updated: 'a@b.example' },
        ],
      }),
    ),
  }),
)
