/** Signing everybody out, by the console's button and by the command, on every engine; on PostgreSQL over two replicas. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import type { Problem } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openService, type Service } from '../../src/service.ts'
import { engines, type Stores } from '../engines.ts'
import { install, org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const other = 6_000_993
for (const engine of engines) {
  describe(`signing out everywhere on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let replica: Service | undefined
    let walks: Walk[] = []
    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      await install(rig, other)
      if (engine.name === 'postgres') replica = await openService(readConfig(rig.env), { log: silentLog })
    })
    beforeEach(async () => {
      await Promise.all(walks.map((one) => one.close()))
      walks = []
      await rig.command('sign-out', { given: { all: true } })
    })
    after(async () => {
      await Promise.all(walks.map((one) => one.close()))
      await replica?.close()
      await rig.close()
      await stores.close()
    })

    async function signIn(orgId: number): Promise<Walk> {
      const walk = openWalk(rig)
      walks.push(walk)
      await walk.connect(orgId, 'console')
      return walk
    }
    async function linkFor(orgId: number): Promise<string> {
      const { output } = await rig.command('sign-in', { given: { org: String(orgId), url: rig.service.url } })
      return output.split('\n')[0]!
    }
    /** By every replica: the cookie is the browser's, whichever of them answers. */
    async function isIn(walk: Walk): Promise<boolean> {
      const jar = walk.cookies.get(rig.service.url)!
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const urls = [rig.service.url, ...(replica ? [replica.url] : [])]
      const answers = await Promise.all(
        urls.map((url) => fetch(`${url}/console`, { redirect: 'manual', headers: { cookie } })),
      )
      assert.equal(new Set(answers.map(({ status }) => status)).size, 1, 'replicas agree')
      return answers[0]!.status === 200
    }
    const lastOf = async (orgId: number) => (await rig.service.store.storage.audit.list(String(orgId), 1))[0]!

    test('the command ends all sessions and links of one account at once, says how many, and leaves others alone', async () => {
      const [one, two, theirs] = [await signIn(org), await signIn(org), await signIn(other)]
      const [link, theirLink] = [await linkFor(org), await linkFor(other)]
      const { exitCode, output } = await rig.command('sign-out', { given: { org: String(org) } })
      assert.deepEqual([exitCode, output], [0, `account ${org}: 2 sessions and 1 sign-in link ended`])
      assert.deepEqual([await isIn(one), await isIn(two), await isIn(theirs)], [false, false, true])
      assert.equal((await one.get(link)).status, 410)
      assert.equal((await one.post(link, {})).status, 410)
      assert.equal((await theirs.get(theirLink)).status, 200)
      const { who, what, about } = await lastOf(org)
      assert.deepEqual([who, what, about], ['command line', 'signed out everywhere', '2 sessions and 1 sign-in link'])
    })

    test('the command for all ends those of every account, and each account’s audit has what was ended of it', async () => {
      const [one, theirs] = [await signIn(org), await signIn(other)]
      const link = await linkFor(other)
      const { output } = await rig.command('sign-out', { given: { all: true } })
      assert.equal(output, 'all accounts: 2 sessions and 1 sign-in link ended')
      assert.deepEqual([await isIn(one), await isIn(theirs)], [false, false])
      assert.equal((await one.get(link)).status, 410)
      assert.equal((await lastOf(org)).about, '1 session and 0 sign-in links')
      assert.equal((await lastOf(other)).about, '1 session and 1 sign-in link')
      assert.ok(await isIn(await signIn(org)), 'one can sign in again')
    })

    test('the console’s button ends all sessions of the account, this one too, and says how many', async () => {
      const [one, two, theirs] = [await signIn(org), await signIn(org), await signIn(other)]
      const settings = await one.get(one.at('/console/connection'))
      const seen = await one.submit(settings, {}, '/console/sign-out-everywhere')
      assert.equal(seen.status, 200)
      assert.match(seen.body, /2 sessions and 0 sign-in links of Drift account[\s\S]*Sign in again/)
      assert.equal(one.cookies.get(rig.service.url)!.has('sid'), false)
      assert.deepEqual([await isIn(two), await isIn(theirs)], [false, true])
      const { who, what } = await lastOf(org)
      assert.match(`${who} ${what}`, /^Drift admin, session [0-9a-f]{6} signed out everywhere$/)
    })

    test('what had run out by itself is not counted', async () => {
      const { tickets } = rig.service.store.storage
      const at = Date.now()
      const old = { kind: 'session', id: 'old', org: String(org), who: 'x', at: at - 1_000, until: at - 1 } as const
      assert.equal(await tickets.issue(old, 10), 'issued')
      const { output } = await rig.command('sign-out', { given: { org: String(org) } })
      assert.equal(output, `account ${org}: 0 sessions and 0 sign-in links ended`)
    })

    test('the command wants one account or all, and an account that is installed', async () => {
      const given: [Record<string, string | boolean>, RegExp, number][] = [
        [{}, /--org .* or --all/, 2],
        [{ org: String(org), all: true }, /--org .* or --all/, 2],
        [{ org: 'x' }, /in digits/, 2],
        [{ org: '99' }, /account 99 is not installed/, 1],
      ]
      for (const [options, says, exitCode] of given)
        await assert.rejects(
          rig.command('sign-out', { given: options }),
          (error: Problem) => says.test(error.message) && error.exitCode === exitCode,
        )
    })
  })
}
