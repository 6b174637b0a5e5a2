/**
 * What an install, a session and a one-time link are made of is looked for wherever it must not be: log lines at the
 * finest level, pages, and the bytes of the store's files.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLog } from '../../src/lib/log.ts'
import type { Seen } from '../../src/sim/visitor.ts'
import { org, startRig, writeKey } from '../rig.ts'
import { openWalk } from '../walk.ts'

test('neither log, nor page, nor store holds a secret of a way through Drift', async () => {
  const said: string[] = []
  const log = openLog('trace', { write: (line: string) => void said.push(line) })
  const rig = await startRig({ installed: false, log })
  const admin = openWalk(rig)
  const pages: string[] = []
  const secrets = new Map<string, string>()
  const see = ({ status, body, headers }: Seen) => {
    const { 'set-cookie': _, location, ...rest } = headers
    pages.push(`${status} ${body} ${JSON.stringify(rest)}`)
  }
  const jar = () => admin.cookies.get(rig.service.url)!
  try {
    const { drift } = rig.sims
    for (const action of [
      { status: 500 },
      { status: 400, body: { error: 'invalid_client' } },
      { hugeBody: 3_000_000 },
    ]) {
      drift.script('/oauth2/token', () => action)
      see(await admin.connect(org))
    }
    drift.script('/oauth2/token', undefined)
    const back = new URL(await admin.allow(org))
    secrets.set('code', back.searchParams.get('code')!).set('state', back.searchParams.get('state')!)
    const form = await admin.follow(await admin.get(back.href))
    see(form)
    see(await admin.get(back.href))
    see(await admin.submit(form, { writeKey }, '/connect/write-key'))
    const csrf = /name="csrf" value="([^"]+)"/.exec(form.body)![1]!
    see(await admin.post(admin.at('/connect/write-key/test'), { csrf, writeKey, region: 'us' }))
    see(await admin.get(admin.at('/connect/write-key')))
    secrets.set('session', jar().get('sid')!).set('flow', jar().get('flow')!).set('write key', writeKey)
    const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
    const link = output.split('\n')[0]!
    secrets.set('link', link.split('/').at(-1)!)
    see(await admin.get(link))
    see(await admin.post(link, {}))
    secrets.set('next session', jar().get('sid')!)
    see(await admin.get(admin.at('/console')))
    see(await admin.post(link, {}))
    for (const { accessToken, refreshToken } of drift.accessTokens.values())
      secrets.set('access token', accessToken).set('refresh token', refreshToken!)
    secrets.set('client secret', drift.settings.clientSecret)
    await rig.service.close()
    const stored = readdirSync(rig.folder).map((file) => readFileSync(join(rig.folder, file)).toString('latin1'))
    for (const [name, secret] of secrets) {
      assert.ok(secret.length > 20, name)
      assert.deepEqual(
        said.filter((line) => line.includes(secret)),
        [],
        `${name} in the log`,
      )
      assert.deepEqual(
        pages.filter((text) => text.includes(secret)).map((text) => text.slice(0, 200)),
        [],
        `${name} in a page`,
      )
      assert.ok(
        stored.every((bytes) => !bytes.includes(secret)),
        `${name} in the store`,
      )
    }
    assert.ok(said.every((line) => !line.includes(csrf)))
    assert.ok(stored.every((bytes) => !bytes.includes(csrf)))
    assert.match(said.join(''), /"outcome":"installed".*"event":"connect"/)
  } finally {
    await admin.close()
    await rig.close()
  }
})
