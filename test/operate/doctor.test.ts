/**
 * What `doctor` says. Each of its sentences is brought about, and ended, on real stores of every engine: one change to a
 * sound store each time, before which and after which everything that `doctor` says is compared.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { judgeDisk } from '../../src/cli/doctor.ts'
import { type Finding, type FindingName, sentences } from '../../src/cli/findings.ts'
import type { Env } from '../../src/config.ts'
import { type Sims, startSims } from '../../src/sim/index.ts'
import { ofStore, changes as otherChanges, type World } from '../doctor-changes.ts'
import { erasedChanges } from '../doctor-erased.ts'
import { serverChanges } from '../doctor-server.ts'
import { engines, type Stores } from '../engines.ts'
import { org, runCommand, settingsFor, writeKey } from '../rig.ts'

const mebibyte = 1024 ** 2

/** How much room is beside the store is judged by itself: what this machine has is not a test's to change. */
const rooms: [free: number, name: FindingName, says: RegExp][] = [
  [0, 'disk_full', /0 MiB free .* refuses webhooks.*with 32 MiB free it accepts/],
  [32 * mebibyte - 1, 'disk_full', /31 MiB free/],
  [32 * mebibyte, 'disk_short', /0\.0 GiB free.*make room/],
  [1024 * mebibyte - 1, 'disk_short', /free beside/],
  [1024 * mebibyte, 'disk_enough', /1\.0 GiB free/],
]
const changes = [...otherChanges, ...serverChanges, ...erasedChanges]
const isOfDisk = (name: string) => name.startsWith('disk_')

interface Said {
  exitCode: number
  output: string
  names: Set<FindingName>
}

async function look(env: Env): Promise<Said> {
  const { exitCode, output } = await runCommand(env, 'doctor')
  const json = JSON.parse((await runCommand(env, 'doctor', { given: { json: true } })).output)
  const silent = (json.findings as Finding[]).filter(({ is, todo }) => is !== 'ok' && !todo)
  assert.deepEqual(silent, [], 'these do not say what to do')
  const names = (json.findings as { name: FindingName }[]).map(({ name }) => name)
  return { exitCode, output, names: new Set(names.filter((name) => !isOfDisk(name))) }
}

for (const engine of engines)
  describe(`doctor on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let sims: Sims
    let sound: Said
    before(async () => {
      // Some of what doctor says is of the server's settings.
      stores = await engine.start(true)
      sims = await startSims()
      sims.drift.addOrg({ orgId: org })
      sound = await look((await soundStore(() => {})).env)
    })
    after(async () => {
      await sims?.close()
      await stores?.close()
    })

    /** Made in the same way each time, so that `sound` says what doctor says of each. */
    async function soundStore(later: World['later']): Promise<World> {
      const env = { ...settingsFor(sims, ''), DATABASE_URL: await stores.fresh() }
      const stdin = JSON.stringify({ ...sims.drift.issueToken(org), writeKey })
      assert.equal((await runCommand(env, 'installs add', { stdin, given: { org: String(org) } })).exitCode, 0)
      return { env, stores, later }
    }

    test('finds nothing wrong where nothing is, and lists what only Drift can show', () => {
      const { exitCode, output, names } = sound
      assert.equal(exitCode, 0, output)
      assert.deepEqual([...names], ['settings_good', ...ofStore, 'partner_answers'])
      assert.match(output, /connect\/callback.*app_disconnected.*all_contact_read/s)
    })

    test('lists the addresses that Drift must have, as far as they are known', async () => {
      assert.match(sound.output, /webhook request URL is PUBLIC_URL\/webhooks\/drift/)
      const { env } = await soundStore(() => {})
      const said = async (more: Env) =>
        (await runCommand({ ...env, ...more }, 'doctor', { given: { offline: true } })).output
      const [own, local] = [await said({ PUBLIC_URL: 'https://source.example' }), await said({ PORT: '8080' })]
      assert.match(own, /redirect URL is https:\/\/source\.example\/connect\/callback/)
      assert.match(local, /webhook request URL is http:\/\/127\.0\.0\.1:8080\/webhooks\/drift/)
      const single = { DRIFT_ORG_ID: String(org), SEGMENT_WRITE_KEY: writeKey, DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2' }
      const alone = await said({ ...single, DRIFT_CLIENT_ID: '', DRIFT_CLIENT_SECRET: '' })
      assert.match(alone, /webhook request URL/)
      assert.doesNotMatch(alone, /redirect URL/)
    })

    test('asks neither Drift nor Segment with --offline', async () => {
      const { env } = await soundStore(() => {})
      for (const name of ['DRIFT_API_URL', 'SEGMENT_API_URL_US', 'SEGMENT_API_URL_EU']) env[name] = 'http://127.0.0.1:9'
      const { exitCode, output } = await runCommand(env, 'doctor', { given: { offline: true } })
      assert.equal(exitCode, 0, output)
      assert.doesNotMatch(output, /Segment \(|127\.0\.0\.1:9/)
    })

    for (const { when, on, skip = false, make, ends = [], begins = [], says, exitCode } of changes) {
      if (on && !on.includes(engine.name)) continue
      const what = [...begins.map((name) => `begins to say ${name}`), ...ends.map((name) => `no longer says ${name}`)]
      test(`${what.join(', ') || 'says the same'} when ${when}`, { skip }, async () => {
        const undo: (() => unknown)[] = []
        try {
          const world = await soundStore((one) => void undo.push(one))
          await make(world)
          const now = await look(world.env)
          assert.deepEqual([...now.names.difference(sound.names)].sort(), [...begins].sort(), now.output)
          assert.deepEqual([...sound.names.difference(now.names)].sort(), [...ends].sort(), now.output)
          assert.equal(now.exitCode, exitCode, now.output)
          if (!says) return
          assert.match(now.output, says)
          assert.doesNotMatch(sound.output, says)
        } finally {
          for (const one of undo) await one()
        }
      })
    }
  })

test('doctor says how much room is beside the store, as it is', () => {
  for (const [free, name, says] of rooms) {
    const found = judgeDisk(free)
    assert.equal(found.name, name)
    assert.match(`${found.what} ${found.todo}`, says)
  }
})

test('doctor says that the disk is full only where the reserve beside the store is spent: with it the service accepts', () => {
  const mebibyte = 1024 ** 2
  assert.equal(judgeDisk(23 * mebibyte, 16 * mebibyte).name, 'disk_short')
  assert.equal(judgeDisk(23 * mebibyte).name, 'disk_full')
  assert.equal(judgeDisk(1 * mebibyte, 16 * mebibyte).name, 'disk_full')
})

test('every sentence that doctor can say has a test in which it is so, and one in which it is not', () => {
  // Before a change `begins` is not said, and `ends` is; afterwards the other way round.
  const paired = new Set([
    ...changes.flatMap(({ begins = [], ends = [] }) => [...begins, ...ends]),
    ...rooms.map(([, name]) => name),
  ])
  assert.deepEqual([...paired].sort(), Object.keys(sentences).sort())
  const bare = changes.filter(({ begins, says }) => begins && !says).map(({ when }) => when)
  assert.deepEqual(bare, [], 'these do not look at the words')
})
