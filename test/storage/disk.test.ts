/**
 * What becomes of the promise when the disk is full, fails, or has been damaged. The service is a process of its own on
 * a small file system of its own (a mount namespace), or under strace, which makes the system calls fail.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Problem } from '../../src/lib/errors.ts'
import { bareEnv, endChild, startChild } from '../children.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const node = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'serve']
const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
const asUser = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials']
const mounts = spawnSync('unshare', [...asRoot, '--mount', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0
const traces = spawnSync('strace', ['-V']).status === 0

let rig: Rig
const children: ChildProcess[] = []
beforeEach(async () => {
  rig = await startRig()
})
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => endChild(child)))
  await rig.close()
})

/** Starts it in another way, and resolves once it listens. */
async function startUnder(wrapper: string[], env: Record<string, string> = {}) {
  const [command, ...args] = [...wrapper, ...node]
  const child = startChild(command!, args, {
    env: { ...bareEnv, ...rig.env, LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.push(child)
  const lines: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      lines.push(line)
      const found = /^listening on (\S+)$/.exec(line)?.[1]
      if (found) resolve(found)
    })
    child.once('close', () => reject(new Error(`ended before it listened: ${lines.join('\n')}`)))
  })
  return { child, url, to: `${url}/webhooks/drift`, lines }
}

/** A large event: most of it is kept, little of it is sent. */
function large(n: number): object {
  const more = 'x'.repeat(200_000)
  const data = { endUserId: 7, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }], more }
  return { type: 'contact_updated', orgId: org, data }
}

/** Posts until it is refused; resolves to how many were answered 200. */
async function postUntilRefused(to: string, from: number, most: number): Promise<number> {
  for (let n = from; n < from + most; n++) {
    const answer = await rig.sims.drift.send(large(n) as never, { to })
    if (answer.status === 200) continue
    assert.equal(answer.status, 503)
    return n - from
  }
  throw new Error(`${most} were taken and the disk is not full`)
}

test('a full disk refuses new webhooks and drains what is there; with room again it goes on by itself', {
  timeout: 60_000,
  skip: mounts ? false : 'no mount namespace can be made here, so there is no small disk to fill',
}, async () => {
  await rig.service.close()
  const disk = join(rig.folder, 'disk')
  mkdirSync(disk)
  const fill = `mount -t tmpfs -o size=90m none ${disk} && cp ${rig.folder}/test.db* ${disk}/ && head -c 40000000 /dev/zero > ${disk}/filler && exec "$@"`
  const wrapper = ['unshare', ...asRoot, '--mount', 'sh', '-c', fill, 'sh']
  rig.sims.segment.script({ status: 503 })
  const { child, url, to } = await startUnder(wrapper, { DATABASE_URL: `sqlite:${disk}/test.db` })
  const kept = await postUntilRefused(to, 0, 500)
  assert.ok(kept > 10, `${kept} were kept`)
  assert.equal((await fetch(`${url}/ready`)).status, 503)
  const headers = { 'x-verification-token': rig.sims.drift.settings.verificationToken }
  const refused = await fetch(to, { method: 'POST', headers, body: JSON.stringify(large(9_999)) })
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '2'])

  rig.sims.segment.script(undefined)
  await eventually(() => rig.sims.segment.accepted.length === kept)
  const sent = rig.sims.segment.accepted.map(({ message }) => (message.traits as { n: number }).n)
  assert.deepEqual(
    sent,
    Array.from({ length: kept }, (_, n) => n),
  )

  rmSync(`/proc/${child.pid}/root${disk}/filler`)
  await eventually(async () => (await fetch(`${url}/ready`)).status === 200)
  assert.equal((await rig.sims.drift.send(large(5_000) as never, { to })).status, 200)
  await eventually(() => rig.sims.segment.accepted.length === kept + 1)
  child.kill('SIGTERM')
  assert.equal((await once(child, 'exit'))[0], 0)
})

test('a service that is killed on a full disk starts again, in the room that was kept for it, and drains', {
  timeout: 60_000,
  skip: mounts ? false : 'no mount namespace can be made here, so there is no small disk to fill',
}, async () => {
  await rig.service.close()
  rig.sims.segment.script({ status: 503 })
  const disk = join(rig.folder, 'disk')
  mkdirSync(disk)
  // The shell holds the disk's namespace, in which the service is started twice.
  const holder = startChild(
    'unshare',
    [...asRoot, '--mount', 'sh', '-c', `mount -t tmpfs -o size=60m none ${disk} && echo ready && exec sleep 60`],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  children.push(holder)
  await once(holder.stdout!, 'data')
  const inside = join('/proc', String(holder.pid), 'root', disk)
  const [path, entered] = [join(inside, 'test.db'), ['nsenter', ...asUser, '--mount', `--target=${holder.pid}`]]
  cpSync(join(rig.folder, 'test.db'), path)
  const env = { DATABASE_URL: `sqlite:${disk}/test.db` }
  const endAndFill = async (child: ChildProcess) => {
    await endChild(child)
    // Each start makes it again, and needs room for that.
    rmSync(`${path}-shm`)
    spawnSync('sh', ['-c', `cat /dev/zero > ${inside}/filler`])
  }
  const first = await startUnder(entered, env)
  for (let n = 0; n < 10; n++)
    assert.equal((await rig.sims.drift.send(large(n) as never, { to: first.to })).status, 200)
  await endAndFill(first.child)
  assert.ok(existsSync(`${path}.reserve`))

  rig.sims.segment.script(undefined)
  const second = await startUnder(entered, env)
  assert.ok(!existsSync(`${path}.reserve`))
  assert.equal((await rig.sims.drift.send(large(10) as never, { to: second.to })).status, 503)
  await eventually(() => rig.sims.segment.accepted.length === 10)

  await endAndFill(second.child)
  await assert.rejects(startUnder(entered, env), /store_full: .*\n {2}what to do: make room .*then start again/)
  rmSync(join(inside, 'filler'))
  const third = await startUnder(entered, env)
  assert.equal((await rig.sims.drift.send(large(11) as never, { to: third.to })).status, 200)
})

test('doctor says that the disk is full, and not that the store can be written', {
  timeout: 60_000,
  skip: mounts ? false : 'no mount namespace can be made here, so there is no small disk to fill',
}, async () => {
  await rig.service.close()
  const disk = join(rig.folder, 'disk')
  mkdirSync(disk)
  const fill = (bytes: string) =>
    `mount -t tmpfs -o size=60m none ${disk} && cp ${rig.folder}/test.db ${disk}/ && { head -c ${bytes} /dev/zero > ${disk}/filler; exec "$@"; }`
  const doctor = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'doctor', '--offline', '--json']
  const said = (bytes: string) => {
    const env = { ...bareEnv, ...rig.env, DATABASE_URL: `sqlite:${disk}/test.db` }
    const args = [...asRoot, '--mount', 'sh', '-c', fill(bytes), 'sh', ...doctor]
    const { stdout } = spawnSync('unshare', args, { env, encoding: 'utf8' })
    return (JSON.parse(stdout).findings as { name: string; what: string }[]).filter(({ name }) =>
      /disk|store/.test(name),
    )
  }
  assert.deepEqual(
    said('20m').map(({ name }) => name),
    ['disk_short', 'store_sound', 'store_writable'],
  )
  assert.deepEqual(
    said('40m').map(({ name }) => name),
    ['disk_full', 'store_sound'],
  )
  const [full, unusable] = said('1G')
  assert.equal(full?.name, 'disk_full')
  assert.match(unusable?.what ?? '', /the disk is full.*\(store_full\)/)
})

test('a failing fsync stops the process, and nothing that was answered 200 is lost', {
  timeout: 60_000,
  skip: traces ? false : 'strace is not here, and without it no fsync can be made to fail',
}, async () => {
  await rig.service.close()
  const inject = 'inject=fdatasync,fsync:error=EIO:when=25+'
  const { child, to, lines } = await startUnder(['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', inject])
  const ended = once(child, 'exit')
  const answered: number[] = []
  for (let n = 0; n < 200; n++) {
    const { status } = await rig.sims.drift.send('new_conversation', { to, orgId: org, vary: n + 1 })
    if (status === 200) answered.push(n)
    else break
  }
  assert.ok(answered.length > 0 && answered.length < 200)
  assert.notEqual((await ended)[0], 0)
  assert.match(lines.join('\n'), /store_failed: the disk failed/)
  await rig.restart()
  const { delivered } = await settled(rig, ({ waiting, held }) => waiting + held === 0)
  assert.ok(delivered >= answered.length)
})

test('a damaged file is refused, or stops the process, with the command that helps', { timeout: 60_000 }, async () => {
  for (let vary = 1; vary <= 50; vary++) await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary })
  await settled(rig, ({ delivered }) => delivered === 50)
  await rig.service.close()
  const path = join(rig.folder, 'test.db')
  const file = openSync(path, 'r+')
  for (let at = 4_096; at < statSync(path).size; at += 4_096) writeSync(file, Buffer.alloc(64, 0xff), 0, 64, at)
  const helps = (error: Problem) => error.code === 'store_damaged' && /doctor/.test(error.hint ?? '')
  await assert.rejects(rig.restart(), helps)
  const { exitCode, output } = await rig.command('doctor', { given: { offline: true } })
  assert.equal(exitCode, 1)
  assert.match(output, /store: damaged: the SQLite file is damaged/)
})
