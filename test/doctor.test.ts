/** What `doctor` finds: nothing where nothing is wrong, and else each thing by its name, with what to do. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { judgeDisk } from '../src/cli/doctor.ts'
import { Problem } from '../src/lib/errors.ts'
import { addsUp } from '../src/pipeline/sums.ts'
import { eventually } from './clock.ts'
import { startRaw } from './raw-server.ts'
import { org, type Rig, settled, startRig } from './rig.ts'

const id = String(org)
let rig: Rig
beforeEach(async () => {
  rig = await startRig()
})
afterEach(async () => {
  const sums = await rig.sums().finally(() => rig.close())
  assert.ok(addsUp(sums))
})

const run = (name: string, given: Record<string, string | boolean> = {}) => rig.command(name, { given })
const post = (event: string) => rig.sims.drift.send(event, { to: rig.to, orgId: org })

describe('doctor', () => {
  test('finds nothing wrong where nothing is, and lists what only Drift can show', async () => {
    const { exitCode, output } = await run('doctor')
    assert.equal(exitCode, 0, output)
    for (const what of [/ok {3}settings/, /ok {3}store: .*sound/s, /ok {3}keys/, /ok {3}counts/, /ok {3}Drift: /])
      assert.match(output, what)
    assert.match(output, /connect\/callback.*app_disconnected.*all_contact_read/s)
    assert.doesNotMatch(output, /^bad/m)
  })

  test('names what is wrong, each with what to do', async () => {
    rig.env.DRIFT_VERIFICATION_TOKENS = ''
    const settings = await run('doctor', { offline: true })
    assert.equal(settings.exitCode, 1)
    assert.match(settings.output, /^bad {2}.*\n? *.*DRIFT_VERIFICATION_TOKENS/s)
    rig.env.DRIFT_VERIFICATION_TOKENS = rig.sims.drift.settings.verificationToken
    rig.env.SEGMENT_API_URL_EU = 'http://127.0.0.1:9'
    await run('installs pause', { org: id })
    await eventually(async () => rig.service.store.roster.get(id)?.state === 'paused')
    await post('new_conversation')
    const { exitCode, output } = await run('doctor')
    assert.equal(exitCode, 1)
    assert.match(output, /bad {2}Segment \(eu\): 127\.0\.0\.1:9 is out of reach/)
    assert.match(output, /look {1}account 5000883: 1 waiting: paused.*what to do: resume it/s)
    await run('installs resume', { org: id })
    await settled(rig, ({ delivered }) => delivered === 1)
  })

  test('L13 a clock that is wrong is told from what the partners say', async () => {
    const theirs = await startRaw(
      `HTTP/1.1 404 Not Found\r\nDate: ${new Date(0).toUTCString()}\r\nContent-Length: 0\r\n\r\n`,
    )
    rig.env.SEGMENT_API_URL_EU = theirs.url
    const { exitCode, output } = await run('doctor')
    await theirs.close()
    assert.equal(exitCode, 1)
    assert.match(output, /bad {2}clock: \d+ s away from Segment \(eu\)'s\n.*keep time/)
  })

  test('a disk with less room than a service needs after it was full is bad, with less than a gibibyte worth a look', () => {
    const mebibyte = 1024 ** 2
    assert.equal(judgeDisk(31 * mebibyte).is, 'bad')
    assert.match(judgeDisk(31 * mebibyte).todo!, /with 32 MiB free/)
    assert.equal(judgeDisk(32 * mebibyte).is, 'look')
    assert.equal(judgeDisk(2_000 * mebibyte).is, 'ok')
  })

  test('a misspelt setting is worth a look', async () => {
    rig.env.SEGMENT_REGOIN = 'eu'
    const { exitCode, output } = await run('doctor', { offline: true })
    assert.equal(exitCode, 0)
    assert.match(output, /look {1}settings: there is none called SEGMENT_REGOIN/)
  })

  test('says that a damaged file is damaged', async () => {
    const file = join(rig.folder, 'odd.db')
    await writeFile(file, 'this is no database, whatever its name says'.repeat(100))
    rig.env.DATABASE_URL = `sqlite:${file}`
    const { exitCode, output } = await run('doctor', { offline: true })
    assert.equal(exitCode, 1)
    assert.match(output, /bad {2}store: /)
    await assert.rejects(run('check'), Problem)
  })
})
