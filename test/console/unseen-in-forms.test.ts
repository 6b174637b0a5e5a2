/** Characters that people do not see, copied along with what they paste into any field of the console. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formsOf, type Seen } from '../../src/sim/visitor.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'
import { type Walk, withAdmin } from '../walk.ts'

const unseen: [name: string, sign: string][] = [
  ['a no-break space', '\u00a0'],
  ['a zero-width space', '\u200b'],
  ['a byte order mark', '\ufeff'],
  ['a direction mark', '\u200e'],
  ['a word joiner', '\u2060'],
  ['an invisible character', '\u0007'],
  ['an invisible character', '\u{e0041}'],
]

describe('an unseen character is refused by its name, and nothing is saved', () => {
  let rig: Rig
  let admin: Walk
  withAdmin(startRig, (...both) => {
    ;[rig, admin] = both
  })
  const stored = () => rig.service.store.storage.installs.get(String(org))

  async function send(page: string, action: string, fields: Record<string, string>): Promise<Seen> {
    const form = formsOf((await admin.get(admin.at(page))).body).find((one) => action.startsWith(one.action!))
    return admin.post(admin.at(action), { ...form!.fields, ...fields })
  }

  const key = '/connect/write-key'
  const forms: [what: string, send: (sign: string) => Promise<Seen>, status: number][] = [
    ['in the write key, saved', (sign) => send(key, key, { writeKey: mixed(writeKey, sign) }), 422],
    [
      'in the write key, tested',
      (sign) => send(key, `${key}/test`, { writeKey: mixed(writeKey, sign), region: 'us' }),
      422,
    ],
    [
      'in the write key of the settings',
      (sign) =>
        send('/console/connection', '/console/connection/segment', { writeKey: mixed(writeKey, sign), region: 'us' }),
      422,
    ],
    [
      'in the address that alerts go to',
      (sign) =>
        send('/console/alerts', '/console/alerts/add', {
          channel: 'webhook',
          address: mixed('https://hooks.example.com/a', sign),
        }),
      422,
    ],
    [
      'in the account number that disconnects',
      (sign) => send('/console/connection', '/console/disconnect', { confirm: mixed(String(org), sign) }),
      422,
    ],
    [
      'in the write key of the site',
      (sign) => send('/console/website', '/console/website', { segment: mixed(writeKey, sign) }),
      422,
    ],
    [
      'in the embed id of the site',
      (sign) => send('/console/website', '/console/website', { drift: mixed('abc123', sign) }),
      422,
    ],
    ...['q', 'type', 'reason', 'from'].map((name): [string, (sign: string) => Promise<Seen>, number] => [
      `in the list’s filter by ${name}`,
      (sign) => admin.get(admin.at(`/console/events?${name}=${encodeURIComponent(mixed('1', sign))}`)),
      400,
    ]),
  ]
  for (const [what, sent, status] of forms)
    test(what, async () => {
      const before = await stored()
      for (const [name, sign] of unseen) {
        const seen = await sent(sign)
        const code = sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
        assert.equal(seen.status, status, name)
        assert.ok(seen.body.includes(`${name} (U+${code})`), `${name}: ${code}`)
      }
      assert.deepEqual(await stored(), before)
      assert.equal(rig.sims.segment.accepted.length, 0)
    })
})

/** Inside, where no trimming takes it away. */
function mixed(text: string, sign: string): string {
  return `${text.slice(0, 1)}${sign}${text.slice(1)}9`
}
