/**
 * What is secret or personal is planted in every place it has, and looked for wherever it must not be: log lines at the
 * finest level, what commands print, errors, metrics, and the bytes of the store's files.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openLog } from '../../src/lib/log.ts'
import { freePort } from '../free-port.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'

const planted = {
  writeKey: 'Pl4ntedQ7wXk0123456789abcdefghij',
  accessToken: 'planted-access-token-0123456789',
  refreshToken: 'planted-refresh-token-0123456789',
  encryptionKey: Buffer.from('planted-sealing-key-0123456789ab').toString('base64'),
  email: 'planted.person@example.com',
  phone: '+15550199887',
  code: 'planted-oauth-code-0123456789',
}
const said: string[] = []
let rig: Rig
let metricsPort: number
let secrets: string[]

/** Every command's words are kept, those of its errors too. */
async function run(name: string, given: Record<string, string | boolean> = {}, stdin = '', args: string[] = []) {
  const done = await rig.command(name, { given, stdin, args }).catch((error: Error & { hint?: string }) => error)
  said.push(done instanceof Error ? `${done.stack} ${done.hint} ${String(done.cause)}` : done.output)
}

async function post(body: string, headers: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(rig.to, { method: 'POST', headers, body })
  said.push(`${answer.status} ${await answer.text()} ${JSON.stringify([...answer.headers])}`)
}

before(async () => {
  metricsPort = await freePort()
  const log = openLog('trace', { write: (line: string) => void said.push(line) })
  const env = { METRICS_PORT: String(metricsPort), ENCRYPTION_KEYS: `planted:${planted.encryptionKey}` }
  rig = await startRig({ installed: false, env, log })
  const { verificationToken, clientSecret } = rig.sims.drift.settings
  secrets = [
    ...Object.values(planted),
    verificationToken,
    clientSecret,
    Buffer.from(planted.writeKey).toString('base64'),
  ]
  await install(rig, org, { writeKey: planted.writeKey })
  const more = { accessToken: planted.accessToken, refreshToken: planted.refreshToken, writeKey: planted.writeKey }
  await run('installs add', { org: '777' }, JSON.stringify(more))
})
after(() => rig.close())

describe('after a run through every error path', () => {
  before(async () => {
    const { drift, segment } = rig.sims
    const token = drift.settings.verificationToken
    const right = { 'x-verification-token': token }
    const person = { email: planted.email, phoneNumber: planted.phone }
    const update = (n: number, orgId = org) =>
      JSON.stringify({
        type: 'contact_updated',
        orgId,
        data: { endUserId: 7, timestamp: n, diff: [{ name: 'attributes.email', updated: planted.email }], ...person },
      })
    for (const answer of [
      { status: 400 },
      { status: 401 },
      { status: 500 },
      { reset: 'after' },
      { redirect: '/x' },
    ] as const) {
      segment.script([answer])
      await post(update(segment.requests.length), right)
      await segment.waitFor(() => segment.requests.length > 0).catch(() => {})
      await run('installs resume', { org: String(org) })
    }
    segment.script(undefined)
    for (const body of [
      `{"token":"${token}","email":"${planted.email}"`,
      update(99).replace('7', '[7]'),
      '\xff',
      token,
    ])
      await post(body, right)
    await post(update(1), { 'x-verification-token': 'wrong' })
    await post(JSON.stringify({ ...JSON.parse(update(2)), token: `${token}x` }))
    await post(update(3, 424_242), right)
    await post(update(4) + ' '.repeat(300_000), right)
    await post(update(5), { ...right, 'content-encoding': 'gzip' })
    for (const path of ['/', `/${token}`, `/connect/callback?code=${planted.code}&state=x`, `/live?token=${token}`]) {
      const answer = await fetch(new URL(path, rig.to), { method: 'POST', redirect: 'manual' })
      const asked = await fetch(new URL(path, rig.to), { redirect: 'manual' })
      said.push(`${answer.status} ${await answer.text()} ${asked.status} ${await asked.text()}`)
    }
    segment.script({ hugeBody: 2_000_000 })
    await post(update(6), right)
    segment.script({ status: 200, body: { success: false, message: planted.writeKey } })
    await run('installs resume', { org: String(org) })
    segment.script(undefined)
    const own = (error: string) => ({ error, error_description: 'No.' })
    drift.script('/conversations/*', [
      { status: 401, body: own('invalid_token') },
      { status: 500 },
      { status: 404, body: own('not_found') },
    ])
    drift.script('/oauth2/token', [{ status: 400, body: own('invalid_request') }])
    for (const orgId of [org, 777]) await drift.send('conversation_participant_added', { to: rig.to, orgId })
    await run('installs add', { org: '1' }, `{"accessToken":"${planted.accessToken}","wrong":"${planted.writeKey}"}`)
    await run('installs add', { org: '1' }, `{"accessToken":"${planted.accessToken}`)
    await run('installs add', { org: planted.writeKey })
    await rig.restart()
    for (const command of ['installs list', 'inspect', 'check', 'keys check', 'redrive'])
      await run(command, command === 'inspect' ? { limit: '100' } : {})
    await run('doctor')
    await run('doctor', { offline: true, json: true })
    await run('keys rotate')
    await run('erase', { org: '777', contact: '7' })
    await run('redrive', { state: 'dead', dryRun: true, json: true })
    await run('inspect', { contact: planted.email, org: String(org) })
    await run('backup', {}, '', [join(rig.folder, 'copy.db')])
    await run('backup', {}, '', [join(rig.folder, 'copy.db')])
    await run('installs resume', { org: String(org) })
    await settled(rig, ({ delivered }) => delivered > 0)
    said.push(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text())
  })

  test('the run said much, and Segment got what it should', () => {
    const all = said.join('\n')
    for (const word of [
      'segment_400',
      'segment_401',
      'token_wrong',
      'invalid_json',
      'shape_unknown',
      'is not a JSON object',
    ])
      assert.ok(all.includes(word), `${word} came to pass`)
    assert.match(all, /"event":"webhook".*"event":"batch"/s)
    assert.ok(rig.sims.segment.accepted.some(({ message }) => JSON.stringify(message).includes(planted.email)))
    assert.ok(rig.sims.segment.requests.every(({ body }) => body.includes(planted.writeKey)))
  })

  test('no line, answer, error or metric holds anything of it', () => {
    for (const secret of secrets) {
      const found = said.filter((line) => line.includes(secret))
      assert.deepEqual(found, [])
    }
    assert.ok(!secrets.some((secret) => [process.title, ...process.argv].join(' ').includes(secret)))
  })

  test('no file of the store holds anything of it, in any common spelling', () => {
    const files = readdirSync(rig.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    for (const wanted of ['test.db', 'copy.db']) assert.ok(files.some(({ name }) => name === wanted))
    for (const { name, parentPath } of files) {
      const bytes = readFileSync(join(parentPath, name))
      for (const secret of secrets) {
        for (const spelled of [
          secret,
          Buffer.from(secret).toString('hex'),
          Buffer.from(secret, 'utf8').toString('base64'),
        ])
          assert.equal(bytes.indexOf(spelled), -1, `${name} holds a secret`)
        assert.equal(bytes.indexOf(Buffer.from(secret, 'utf16le')), -1)
      }
    }
  })
})
