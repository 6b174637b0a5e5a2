import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { type ManualClock, manualClock } from '../../test/clock.ts'
import type { Access } from '../accounts/grant.ts'
import { systemRandom } from '../lib/random.ts'
import type { Answered } from '../lib/request.ts'
import { type Contacts, openContacts } from './contacts.ts'

const contact = { org: '1', id: '77', names: ['externalId'] }
const found = (attributes: object) => answered(200, { data: { id: 77, attributes } })
const missing = answered(404, { error: { type: 'not_found', message: '' } })
const away: Answered = { status: 0, failure: 'ECONNREFUSED' }

function answered(status: number, body: object, headers = {}): Answered {
  return { status, headers, body: JSON.stringify(body) }
}

describe('contacts', () => {
  let clock: ManualClock
  let contacts: Contacts
  let answers: Answered[]
  let asked: string[]
  let access: Access
  beforeEach(() => {
    clock = manualClock()
    answers = []
    asked = []
    access = { is: 'token', token: 'one' }
    contacts = openContacts({
      clock,
      random: systemRandom,
      driftUrl: 'http://drift',
      grants: { access: async () => access, renewed: async () => ({ is: 'token', token: 'two' }) },
      async send({ url, headers }) {
        asked.push(`${url} ${headers!.authorization}`)
        return answers.shift() ?? found({ externalId: 'a', email: 'a@b.example' })
      },
    })
  })

  test('are asked for once however many wait, and remembered for five minutes', async () => {
    const looks = await Promise.all([contacts.look(contact), contacts.look(contact)])
    assert.equal(asked.length, 1)
    assert.deepEqual(looks[0], { is: 'said', said: { attributes: { externalId: 'a' } } }, 'nothing but what is taken')
    clock.advance(299_000)
    assert.deepEqual(contacts.known(contact, 0), { attributes: { externalId: 'a' } })
    clock.advance(2_000)
    assert.equal(contacts.known(contact, 0), undefined)
  })

  test('are not what was known before they changed', async () => {
    await contacts.look(contact)
    assert.ok(contacts.known(contact, clock.now()))
    assert.equal(contacts.known(contact, clock.now() + 1), undefined)
  })

  test('are forgotten when another process has had the lane, and not by the next lease here', async () => {
    contacts.begin({ org: '1', destination: 1, token: 5 })
    await contacts.look(contact)
    contacts.begin({ org: '1', destination: 1, token: 6 })
    assert.ok(contacts.known(contact, 0))
    contacts.begin({ org: '1', destination: 1, token: 8 })
    assert.equal(contacts.known(contact, 0), undefined)
  })

  test('that Drift does not know are said to be so, and asked for again half a minute later', async () => {
    answers = [missing]
    assert.deepEqual(await contacts.look(contact), {
      is: 'said',
      said: { attributes: {}, without: 'contact_missing' },
    })
    assert.ok(contacts.known(contact, 0))
    clock.advance(30_000)
    assert.equal(contacts.known(contact, 0), undefined)
  })

  test('that the grant may not read, and those of a dead grant, keep no event waiting', async () => {
    answers = [answered(403, { error: 'insufficient_scope', error_description: '' })]
    const forbidden = await contacts.look(contact)
    assert.equal(forbidden.is === 'said' && forbidden.said.without, 'contact_forbidden')
    access = { is: 'dead' }
    const dead = await contacts.look(contact)
    assert.equal(dead.is === 'said' && dead.said.without, 'contact_grant_dead')
  })

  test('are asked for with a new token when Drift refuses the old one, once', async () => {
    answers = [answered(401, { error: 'invalid_token', error_description: '' })]
    assert.equal((await contacts.look(contact)).is, 'said')
    assert.match(asked.join(), /Bearer one,.*Bearer two$/)
  })

  test('are not asked for while Drift does not answer, longer each time, and not before it wants', async () => {
    answers = [away]
    const first = await contacts.look(contact)
    assert.ok(first.is === 'later' && first.afterMs <= 1_000)
    const other = { ...contact, id: '78' }
    assert.equal((await contacts.look(other)).is, 'later')
    assert.equal(asked.length, 1, 'another one of the account is not asked for meanwhile')
    clock.advance(1_000)
    answers = [answered(429, {}, { 'retry-after': '120' })]
    assert.deepEqual(await contacts.look(contact), { is: 'later', afterMs: 120_000 })
    clock.advance(120_000)
    assert.equal((await contacts.look(contact)).is, 'said')
  })

  test('of one account are asked for by four requests at once at most', async () => {
    let release = () => {}
    let most = 0
    let busy = 0
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    contacts = openContacts({
      clock,
      random: systemRandom,
      driftUrl: 'http://drift',
      grants: { access: async () => access, renewed: async () => access },
      async send() {
        most = Math.max(most, ++busy)
        await gate
        busy--
        return found({})
      },
    })
    const all = Array.from({ length: 9 }, (_, at) => contacts.look({ ...contact, id: `${at + 1}` }))
    await new Promise(setImmediate)
    release()
    assert.equal((await Promise.all(all)).filter(({ is }) => is === 'said').length, 9)
    assert.equal(most, 4)
  })
})
