import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../events/index.ts'
import { knownNames } from './known.ts'
import { attributesTaken, judgeOptions, optionNames, refusedSaid } from './options.ts'

const judge = (given: unknown) => judgeOptions(given, knownNames(catalogue))

const said = (judged: ReturnType<typeof judge>) => (judged.ok ? '' : judged.why.map(refusedSaid).join('; '))

test('they apply in this order, which documents name', () => {
  const order = 'only userId anonymousId externalIds consent safeNames liveChat drop hash prefix rename'
  assert.equal(optionNames.join(' '), order)
})

test('an unknown option, or one of another shape, is refused by its name', () => {
  assert.deepEqual(judge({ drop: 'ip' }).ok, false)
  const unknown = judge({ unheard: true })
  assert.ok(!unknown.ok && /unheard/.test(said(unknown)))
})

test('each option that is refused says why, all at once', () => {
  const judged = judge({ userId: { attribute: 'email' }, drop: ['contactId'], rename: { fields: { status: 'id' } } })
  assert.ok(!judged.ok)
  assert.deepEqual(
    judged.why.map(({ at }) => at),
    [['userId'], ['drop'], ['rename', 'fields']],
  )
})

test('what has the wrong shape is refused in words, and not in those of the library that reads it', () => {
  const cases: [object, string][] = [
    [{ consent: { attribute: '', otherwise: 'send' } }, 'consent.attribute: it is empty'],
    [{ consent: { attribute: 'x' } }, 'consent.otherwise: it is not "send" or "leave_out"'],
    [{ consent: { otherwise: 'send' } }, 'consent.attribute: it is missing'],
    [{ rename: { events: { new_meeting: '' } } }, 'rename.events.new_meeting: it is empty'],
    [{ rename: { fields: { '': 'x' } } }, 'rename.fields.: a name is empty, or longer than 100 characters'],
    [{ drop: [] }, 'drop: it is empty'],
    [{ drop: 'ip' }, 'drop: it is not a list'],
    [{ hash: ['x'.repeat(101)] }, 'hash.0: it has more than 100 characters'],
    [{ prefix: 7 }, 'prefix: it is not a text'],
    [{ userId: true }, 'userId: it is not an object'],
    [{ safeNames: 'yes' }, 'safeNames: it is not true'],
    [{ unheard: true }, 'options: there is no option "unheard"'],
  ]
  assert.deepEqual(
    cases.map(([given]) => said(judge(given))),
    cases.map(([, says]) => says),
  )
})

test('the name of an event that there is not is refused with those that there are, also of one that has no name', () => {
  const events = said(judge({ rename: { events: { buton_clicked: 'Typo' } } }))
  assert.match(events, /^rename\.events: Drift sends no event "buton_clicked"; it sends .*button_clicked/)
  const identify = said(judge({ rename: { events: { contact_updated: 'Contact Updated' } } }))
  assert.match(
    identify,
    /contact_updated is sent as an Identify call, which has no name: those with a name are .*new_meeting/,
  )
  assert.doesNotMatch(identify, /phone_captured/)
  assert.match(
    said(judge({ only: { types: ['buton_clicked'] } })),
    /^only\.types: Drift sends no event "buton_clicked"/,
  )
})

test('an option of the wrong shape does not hide what else is refused', () => {
  const all = said(judge({ unheard: true, consent: { attribute: '', otherwise: 'send' }, drop: ['contactId'] }))
  assert.match(all, /there is no option "unheard"/)
  assert.match(all, /consent\.attribute: it is empty/)
  assert.match(all, /drop: contactId cannot be dropped/)
  assert.deepEqual(
    [said(judge([])), said(judge(null))],
    ['options: it is not an object', 'options: it is not an object'],
  )
})

test('options that are too long to be read with the account each time are refused', () => {
  const names = Array.from({ length: 200 }, (_, at) => `${at}`.padStart(100, 'x'))
  assert.equal(said(judge({ drop: names })), 'options: they are too long')
})

test('the attributes that are looked up are those that some option takes, and no others', () => {
  const confirmed = 'visitors can type what they like there'
  const options = { userId: { attribute: 'email' }, anonymousId: { confirmed }, hash: ['phone'] }
  assert.deepEqual(attributesTaken(options), ['email', 'segment_anonymous_id'])
  assert.deepEqual(attributesTaken({ safeNames: true }), [])
})
