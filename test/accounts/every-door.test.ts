/**
 * A secret is judged by one function, whichever door it comes in by: the settings, standard input, the form at the end of
 * an install, its test, and the console.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { firstOf } from '../../src/accounts/destinations.ts'
import { type Env, readConfig } from '../../src/config.ts'
import { Problem } from '../../src/lib/errors.ts'
import { judgeWriteKey } from '../../src/segment/key.ts'
import { formsOf } from '../../src/sim/visitor.ts'
import { org, type Rig, runCommand, startRig } from '../rig.ts'
import { type Walk, withAdmin } from '../walk.ts'

const id = String(org)
const key = 'AbCdEfGhIjKlMnOpQrStUvWxYz987654'
const html = (text: string) => text.replaceAll("'", '&#39;').replaceAll('"', '&quot;')

let rig: Rig
let admin: Walk
withAdmin(startRig, (...both) => {
  ;[rig, admin] = both
})

/** What is said against a value at each door; undefined where it is taken. */
type Door = (value: string) => Promise<string | undefined>

const setting =
  (name: string): Door =>
  async (value) => {
    const single = { DRIFT_ORG_ID: id, SEGMENT_WRITE_KEY: key, DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2' }
    return said(() => readConfig({ ...rig.env, ...single, [name]: value }))
  }
const standardInput =
  (name: string): Door =>
  async (value) =>
    rig
      .command('installs add', { given: { org: '12345' }, stdin: JSON.stringify({ [name]: value }) })
      .then(() => undefined, messageOf)
const form =
  (page: string, action: string): Door =>
  async (writeKey) => {
    const [shown] = formsOf((await admin.get(admin.at(page))).body).filter((one) =>
      action.startsWith(one.action ?? '?'),
    )
    const { status, body } = await admin.post(admin.at(action), { ...shown!.fields, writeKey, region: 'us' })
    return status === 422 ? body : undefined
  }

function said(judge: () => unknown): string | undefined {
  try {
    judge()
  } catch (error) {
    return messageOf(error)
  }
  return undefined
}

function messageOf(error: unknown): string {
  assert.ok(error instanceof Problem)
  return error.message
}

describe('a write key that cannot be one is refused for the same reason', () => {
  const doors: [door: string, refuses: Door][] = [
    ['in the settings', setting('SEGMENT_WRITE_KEY')],
    ['from standard input', standardInput('writeKey')],
    ['at the end of an install', form('/connect/write-key', '/connect/write-key')],
    ['when it is tested', form('/connect/write-key', '/connect/write-key/test')],
    ['in the console', form('/console/connection', '/console/connection/segment')],
  ]
  const bad = [
    `"${key}"`,
    `'${key}'`,
    `“${key}”`,
    `${key};`,
    `\ufeff${key}`,
    `${key}\u00a0`,
    `${key.slice(0, 9)}\u200b${key.slice(9)}`,
    `\u202e${key}`,
    `${key}\u00ad`,
    'https://api.segment.io/v1/batch',
    'sgp_AbCdEfGhIjKlMnOpQrStUvWxYz01234567',
    'YOUR_WRITE_KEY',
    'undefined',
    'changeme',
    '5000883',
    'k'.repeat(300),
  ]
  for (const [door, refuses] of doors)
    test(door, async () => {
      for (const value of bad) {
        const judged = judgeWriteKey(value)
        assert.ok(judged.is === 'refused', value)
        const answer = await refuses(value)
        assert.ok(answer !== undefined, `${value} is refused`)
        const reason = judged.why.replace(/^the write key /, '')
        assert.ok(answer.includes(reason) || answer.includes(html(reason)), `${value}: ${answer.slice(0, 500)}`)
      }
    })

  test('and nothing of it was stored', () => assert.equal(rig.service.store.accounts.get('12345'), undefined))
})

describe('a token that no request can carry is refused for the same reason', () => {
  const doors: [door: string, refuses: Door][] = [
    ['in the settings, the access token', setting('DRIFT_ACCESS_TOKEN')],
    ['in the settings, the client secret', setting('DRIFT_CLIENT_SECRET')],
    ['in the settings, the verification tokens', setting('DRIFT_VERIFICATION_TOKENS')],
    ['from standard input, the access token', standardInput('accessToken')],
    ['from standard input, the refresh token', standardInput('refreshToken')],
  ]
  const bad: [token: string, why: RegExp][] = [
    ['"aT6kJ8vNd2"', /stands in quotes/],
    ['aT6kJ8vNd2\u200b', /a zero-width space \(U\+200B\)/],
    ['\ufeffaT6kJ8vNd2', /a byte order mark/],
    ['aT6kJ8\nvNd2', /a line break/],
    ['aT6kJ8\u0000vNd2', /U\+0000/],
    ['Bearer aT6kJ8vNd2', /holds a space/],
    ['aT6kJ8vNdé', /not plain ASCII/],
    ['changeme', /placeholder/],
  ]
  for (const [door, refuses] of doors)
    test(door, async () => {
      for (const [token, why] of bad) assert.match((await refuses(token)) ?? '', why, token)
    })
})

test('a region is taken in any case from the command line, as it is from the settings', async () => {
  const { exitCode } = await rig.command('installs add', {
    given: { org: '777', region: 'EU' },
    stdin: JSON.stringify({ writeKey: key }),
  })
  assert.equal(exitCode, 0)
  assert.equal(firstOf((await rig.service.store.storage.installs.get('777'))!).region, 'eu')
  const mars = rig.command('installs add', { given: { org: '777', region: 'mars' }, stdin: '{}' })
  await assert.rejects(mars, { code: 'region_unusable' })
})

test('an unusual write key from standard input is taken, and worth a second look', async () => {
  const { exitCode, output } = await rig.command('installs add', {
    given: { org: '778' },
    stdin: JSON.stringify({ writeKey: '03fwkuu3' }),
  })
  assert.equal(exitCode, 0)
  assert.match(output, /look again: Segment's write keys mostly have 32/)
})

describe('what a command is given in the place of a setting is judged as the setting is', () => {
  test('the address of the service, by sign-in and snippet', async () => {
    for (const [command, given, code] of [
      ['sign-in', { org: id }, 'url_unusable'],
      ['snippet', {}, 'snippet_misused'],
    ] as const)
      for (const url of [
        'source.example',
        'http://source.example',
        'https://source.example/drift',
        '"https://a.example"',
      ])
        await assert.rejects(rig.command(command, { given: { ...given, url } }), { code }, `${command} ${url}`)
    const { output } = await rig.command('sign-in', { given: { org: id, url: 'https://source.example/' } })
    assert.match(output, /^https:\/\/source\.example\/console\/sign-in\//)
  })

  test('PUBLIC_URL itself, by snippet', async () => {
    const run = (PUBLIC_URL: string) => runCommand({ PUBLIC_URL }, 'snippet')
    await assert.rejects(run("'https://a.example'"), { code: 'settings_wrong' })
    assert.match((await run('https://a.example/')).output, /"https:\/\/a\.example\/bridge\.js"/)
  })

  test('a write key in a page, by snippet', async () => {
    const run = (segment: string) => rig.command('snippet', { given: { url: 'https://a.example', segment } })
    for (const bad of ['YOUR_WRITE_KEY', `${key}\u200b`, 'sgp_AbCdEfGhIjKlMnOp', `"${key}"`])
      await assert.rejects(run(bad), { code: 'snippet_misused' }, bad)
    assert.match((await run(key)).output, new RegExp(`"segment":"${key}"`))
  })

  test('the token, by the command that posts an event: also from a file', async () => {
    const path = join(rig.folder, 'token')
    const { DRIFT_VERIFICATION_TOKENS: token, ...rest } = rig.env
    await writeFile(path, `${token}\n`)
    const send = (env: Env) =>
      runCommand(env, 'send', { args: ['new_conversation'], given: { to: rig.service.url, org: id } })
    assert.match((await send({ ...rest, DRIFT_VERIFICATION_TOKENS_FILE: path })).output, /^200 /)
    await assert.rejects(send(rest), { code: 'settings_wrong' })
    await assert.rejects(send({ ...rest, DRIFT_VERIFICATION_TOKENS: `"${token}"` }), { code: 'settings_wrong' })
  })
})

test('a refresh token without its access token is refused: nothing could be done with it', async () => {
  const stdin = JSON.stringify({ refreshToken: 'rT6kJ8vNd2', writeKey: key })
  const adding = rig.command('installs add', { given: { org: '12346' }, stdin })
  await assert.rejects(adding, {
    code: 'token_unusable',
    exitCode: 2,
    message: /^refreshToken stands without the access/,
  })
  assert.equal(await rig.service.store.storage.installs.get('12346'), undefined)
})
