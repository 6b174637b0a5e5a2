/** Disks that fill up, fail, or lose their power. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { judgeImages, recording, stepsOf } from '../power.ts'
import { lasting, type Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
const mounts = spawnSync('unshare', [...asRoot, '--mount', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0
const traces = spawnSync('strace', ['-V']).status === 0
const onlySqlite = 'this engine writes in a process of its own'

export const diskScenarios: Scenario[] = [
  {
    name: 'power loss',
    rows: ['F3'],
    impossible: (engine) => (engine !== 'sqlite' ? onlySqlite : !traces && 'strace is not on this machine'),
    async run(world) {
      await world.load.finish()
      await world.service().stop()
      const base = join(world.folder, 'test.db')
      copyFileSync(base, `${base}.before`)
      const trace = join(world.folder, 'power.strace')
      await world.start({ under: recording([base, `${base}-wal`, world.log], trace) })
      world.load.start({ senders: 16, perSecond: 200, mix: { begun: 30, updated: 25, clicked: 15 } })
      await lasting(2_500)
      await world.load.finish()
      await world.service().kill()
      const steps = stepsOf(readFileSync(trace, 'utf8'), world.log)
      rmSync(trace)
      const folder = join(world.folder, 'images')
      const { images, lossy, answered, broken } = await judgeImages(steps, {
        base,
        folder,
        count: 30,
        fraction: world.fraction,
      })
      rmSync(`${base}.before`)
      await world.start()
      if (broken.length > 0) throw new Error(`${broken.length} of ${images} images: ${broken.slice(0, 3).join('; ')}`)
      if (answered < 20 || lossy < 5) throw new Error(`only ${answered} answers and ${lossy} losses: nothing was shown`)
      return `${images} images, ${lossy} of them with writes lost, ${answered} answers`
    },
  },
  {
    name: 'the disk fills up, and has room again',
    rows: ['F4'],
    impossible: (engine) => (engine !== 'sqlite' ? onlySqlite : !mounts && 'no mount namespace can be made here'),
    async run(world) {
      await world.load.finish()
      await world.service().stop()
      const disk = join(world.folder, 'disk')
      mkdirSync(disk, { recursive: true })
      const file = join(world.folder, 'test.db')
      const size = Math.ceil(readFileSync(file).length / 2 ** 20) + 62
      // The store lives on the small disk for the life of this process, and comes back at its end.
      const script = [
        `mount -t tmpfs -o size=${size}m none ${disk}`,
        `cp ${file}* ${disk}/`,
        `head -c 40000000 /dev/zero > ${disk}/filler`,
        `"$@"; code=$?; cp ${disk}/test.db* ${world.folder}/; exit $code`,
      ].join(' && ')
      const under = ['unshare', ...asRoot, '--mount', 'sh', '-c', script, 'sh']
      const { sims, proxies } = world
      world.segment(() => ({ status: 503 }))
      const child = await world.start({ under }, { DATABASE_URL: `sqlite:${join(disk, 'test.db')}` })
      const full = await untilFull(world)
      world.normally()
      const before = sims.segment.accepted.length
      await world.load.repost(1_000)
      world.skip(900_000)
      await lasting(1_500)
      const drained = sims.segment.accepted.length - before
      const inside = spawnSync('pgrep', ['-P', String(child.pid)])
        .stdout.toString()
        .trim()
        .split('\n')[0]
      rmSync(`/proc/${inside}/root${disk}/filler`, { force: true })
      await lasting(1_000)
      await world.load.repost()
      const ready = (await fetch(`${proxies.front.url}/ready`)).status
      process.kill(Number(inside), 'SIGTERM')
      await child.ended
      await world.start()
      if (ready !== 200) throw new Error(`with room again /ready says ${ready}`)
      return `full after ${full} large events, ${drained} sent while it was`
    },
  },
  {
    name: 'an fsync or a write fails',
    rows: ['F5', 'F7'],
    impossible: (engine) => (engine !== 'sqlite' ? onlySqlite : !traces && 'strace is not on this machine'),
    async run(world) {
      const ends: (number | string)[] = []
      for (const call of ['fsync,fdatasync', 'pwrite64', 'fsync,fdatasync']) {
        await world.service().kill()
        const inject = `inject=${call}:error=EIO:when=${world.whole(8, 30)}`
        const under = [
          'strace',
          '-D',
          '-f',
          '--seccomp-bpf',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          `trace=${call}`,
          '-e',
          inject,
        ]
        const child = await world.start({ under }).catch(() => undefined)
        const ended = child ? await Promise.race([child.ended, lasting(4_000)]) : 'at its start'
        ends.push(ended ?? 'not met')
        if (ended === 0) throw new Error('a service whose disk failed ended as if all were well')
        // It may not even have started: then there is none.
        if (child?.isUp()) await child.kill()
        await world.start()
      }
      if (ends.every((end) => end === 'not met')) throw new Error('no failing call was met: nothing was shown')
      return `ended with ${ends.join(', ')}`
    },
  },
  {
    name: "the store's file is moved away, and its log is deleted",
    rows: ['F33'],
    impossible: (engine) => engine !== 'sqlite' && 'this engine has no file of ours',
    async run(world) {
      const file = join(world.folder, 'test.db')
      const losses: [lose: () => void, mend: () => void][] = [
        [() => renameSync(file, `${file}.away`), () => renameSync(`${file}.away`, file)],
        [() => rmSync(`${file}-wal`), () => {}],
      ]
      for (const [lose, mend] of losses) {
        await lasting(world.whole(100, 500))
        lose()
        const end = await Promise.race([world.service().ended, lasting(4_000)])
        if (end !== 74) throw new Error(`the service whose file was moved ended with ${end}`)
        mend()
        await world.start()
      }
      return 'ended with 74, twice'
    },
  },
]

/** Posts large events until one is refused; resolves to how many were taken. */
async function untilFull({ load, accounts, pick }: World): Promise<number> {
  for (let n = 0; n < 400; n++) if (!(await load.say('essay', pick(accounts).org))) return n
  throw new Error('the disk did not fill up')
}
