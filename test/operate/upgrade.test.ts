/**
 * What docs/upgrade.md promises, tried with a version that does not exist: this one with one step more in its schema.
 * Services are processes of their own, as an operator has them.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Env } from '../../src/config.ts'
import { type Sims, startSims } from '../../src/sim/index.ts'
import { bareEnv, ended, startChild } from '../children.ts'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { freePort } from '../free-port.ts'
import { makeNextVersion, type NextVersion } from '../next-version.ts'
import { org, runCommand, settingsFor, writeKey } from '../rig.ts'
import { root, type Served, serve } from '../serve.ts'
import { makeSample, type Program, playOut } from '../storage/sample.ts'

const timeout = 120_000

for (const engine of engines) {
  describe(`on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let next: NextVersion
    let beside: NextVersion
    let stage: Stage
    before(async () => {
      stores = await engine.start()
      next = makeNextVersion()
      beside = makeNextVersion({ additive: true })
    })
    after(async () => {
      await stores.close()
      next.remove()
      beside.remove()
    })
    afterEach(() => stage.close())

    test('a version with a further step delivers what this one has kept, and this one refuses its store then', {
      timeout,
    }, async () => {
      stage = await openStage(await stores.fresh())
      const { env, sims } = stage
      sims.segment.script({ status: 503 })
      const old = await stage.serve()
      for (let sent = 0; sent < 5; sent++) assert.equal(await stage.send(old), 200)
      assert.equal(await old.stop(), 0)
      sims.segment.script(undefined)

      const newer = await stage.serve(next.folder)
      assert.equal(await stage.send(newer), 200)
      await stage.allArrive()
      assert.equal(await newer.stop(), 0)

      const kept = bytesOf(env)
      const refused = await stage.serve()
      assert.equal(refused.url, '')
      assert.equal(await refused.ended, 78)
      assert.match(refused.said(), /store_too_new/)
      const command = await runCommand(env, 'check').catch((error: { code: string }) => error.code)
      assert.equal(command, 'store_too_new')
      assert.deepEqual(bytesOf(env), kept)

      const again = await stage.serve(next.folder)
      assert.equal(await stage.send(again), 200)
      await stage.allArrive()
      const checked = spawnSync(process.execPath, [join(next.folder, 'src/main.ts'), 'check', '--json'], {
        env: { ...bareEnv, ...env },
        encoding: 'utf8',
      })
      const { ok, received, delivered } = JSON.parse(checked.stdout) as Record<string, unknown>
      assert.deepEqual([ok, received, delivered], [true, 7, 7], checked.stderr)
    })

    test('a version with a further step keeps all that a store of this one has, and this one changes nothing of it then', {
      timeout,
    }, async () => {
      const url = await stores.fresh()
      const sample = await makeSample(url)
      await playOut(url, sample, programIn(next.folder), async (env) => {
        const kept = bytesOf(env)
        const refused = await serve(env)
        assert.deepEqual([refused.url, await refused.ended], ['', 78])
        const command = await runCommand(env, 'check').catch((error: { code: string }) => error.code)
        assert.equal(command, 'store_too_new')
        assert.deepEqual(bytesOf(env), kept)
      })
    })

    const replicas = engine.name === 'sqlite' ? 'SQLite has one process' : false

    test('two replicas are replaced one after the other by a version whose step only adds, and no webhook waits for it', {
      timeout,
      skip: replicas,
    }, async () => {
      stage = await openStage(await stores.fresh())
      const running = [await stage.serve(), await stage.serve()]
      const load = stage.load(running)
      for (let turn = 0; turn < 2; turn++) {
        // As the proxy does: what stops gets nothing more.
        const [oldest] = running.splice(0, 1)
        await load.more(5)
        assert.equal(await oldest!.stop(), 0)
        running.push(await stage.serve(beside.folder))
        await load.more(5)
        for (const replica of running) assert.equal(await stage.send(replica), 200, 'both versions take webhooks')
      }
      await load.stop()
      await stage.allArrive()
      const { exitCode, output } = await runCommand(stage.env, 'check')
      assert.equal(exitCode, 0, output)
    })

    test('a store with something of everything is kept while a replica of this version gives way to one whose step only adds', {
      timeout,
      skip: replicas,
    }, async () => {
      const url = await stores.fresh()
      const sample = await makeSample(url)
      const newer = programIn(beside.folder)
      await playOut(url, sample, {
        // As the operator has them until all replicas are new.
        run: (env, name, options) =>
          name === 'check' ? runCommand(env, name, options) : newer.run(env, name, options),
        async open(env, clock) {
          const old = await serve(env)
          const opened = await newer.open(env, clock)
          assert.equal(await old.stop(), 0)
          return opened
        },
      })
    })

    test('replicas of this version end where the step is not for them, and the newer one delivers all', {
      timeout,
      skip: replicas,
    }, async () => {
      stage = await openStage(await stores.fresh())
      stage.sims.segment.script({ status: 503 })
      const old = [await stage.serve(), await stage.serve()]
      for (const replica of old) assert.equal(await stage.send(replica), 200)
      const newer = await stage.serve(next.folder)
      for (const { ended, said } of old) {
        assert.equal(await ended, 78)
        assert.match(said(), /store_too_new/)
      }
      stage.sims.segment.script(undefined)
      assert.equal(await stage.send(newer), 200)
      await stage.allArrive()
    })
  })
}

/** The program in this folder, each command and the service a process of its own. */
function programIn(folder: string): Program {
  return {
    async open(env) {
      const served = await serve(env, folder)
      assert.notEqual(served.url, '', served.said())
      return { close: () => served.stop() }
    },
    async run(env, name, { given = {}, args = [], stdin = '' } = {}) {
      const flags = Object.entries(given).flatMap(([flag, value]) =>
        value === true ? [`--${flag}`] : [`--${flag}`, String(value)],
      )
      const main = ['--disable-warning=ExperimentalWarning', join(folder, 'src/main.ts')]
      const child = startChild(process.execPath, [...main, ...name.split(' '), ...args, ...flags], {
        env: { ...bareEnv, ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      child.stdin!.end(stdin)
      const [output, remarks] = [text(child.stdout!), text(child.stderr!)]
      const exitCode = Number(await ended(child))
      return { exitCode, output: (await output) || (await remarks) }
    },
  }
}

/** Of a store in a file. */
function bytesOf({ DATABASE_URL = '' }: Env): Buffer | undefined {
  return DATABASE_URL.startsWith('sqlite:') ? readFileSync(DATABASE_URL.slice('sqlite:'.length)) : undefined
}

interface Stage {
  env: Env
  sims: Sims
  serve(at?: string): Promise<Served>
  /** Another event each time; resolves to how it was answered. */
  send(to: Served): Promise<number>
  /** Sends to these in turn until it is stopped; rejects then where an answer was not 200. `more`: once so many more were sent. */
  load(to: readonly Served[]): { more(many: number): Promise<void>; stop(): Promise<void> }
  /** Resolves once Segment has everything that was answered 200; rejects where it got something twice. */
  allArrive(): Promise<void>
  close(): Promise<void>
}

async function openStage(url: string): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'upgrade-test-'))
  const sims = await startSims({ segment: { port: await freePort() } })
  const { drift, segment } = sims
  const env = { ...settingsFor(sims, folder), DATABASE_URL: url }
  drift.addOrg({ orgId: org })
  const secrets = JSON.stringify({ accessToken: drift.privateToken(org), writeKey })
  await runCommand(env, 'installs add', { given: { org: String(org) }, stdin: secrets })
  const started: Served[] = []
  let varied = 0
  const send = async ({ url: to }: Served) =>
    (await drift.send('new_conversation', { to: `${to}/webhooks/drift`, orgId: org, vary: ++varied })).status
  return {
    env,
    sims,
    send,
    async serve(at = root) {
      const served = await serve(env, at)
      started.push(served)
      return served
    },
    load(to) {
      const answers: number[] = []
      let isOver = false
      const sending = (async () => {
        while (!isOver) answers.push(await send(to[varied % to.length]!))
      })()
      return {
        async more(many) {
          const wanted = answers.length + many
          await eventually(() => answers.length >= wanted)
        },
        async stop() {
          isOver = true
          await sending
          assert.deepEqual([...new Set(answers)], [200])
        },
      }
    },
    async allArrive() {
      const acknowledged = drift.sent.filter(({ status }) => status === 200).length
      await eventually(
        () => segment.accepted.length >= acknowledged,
        () => [segment.accepted.length, acknowledged],
      )
      const ids = segment.accepted.map(({ message }) => (message.properties as { id: number }).id)
      assert.equal(new Set(ids).size, acknowledged)
      assert.equal(segment.accepted.length, acknowledged)
    },
    async close() {
      await Promise.all(started.map((served) => served.stop()))
      await sims.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
