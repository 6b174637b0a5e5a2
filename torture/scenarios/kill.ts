/** Processes that end at any moment. */
import { spawnSync } from 'node:child_process'
import type { SegmentAction } from '../../src/sim/index.ts'
import { lasting, type Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const traces = spawnSync('strace', ['-V']).status === 0
const needsStrace = () => !traces && 'strace is not on this machine'

export const kills: Scenario[] = [
  {
    name: 'kill -9 at random times',
    rows: ['F1'],
    async run(world) {
      for (let round = 0; round < 4; round++) {
        await lasting(world.whole(30, 700))
        await world.service().kill()
        await world.start()
      }
      return '4 kills'
    },
  },
  {
    name: 'kill -9 while Segment has the batch',
    rows: ['F1', 'F15'],
    async run(world) {
      const fates: SegmentAction[] = [{ hang: true }, { reset: 'after' }, { reset: 'before' }]
      for (const fate of fates) {
        const struck = Promise.withResolvers<void>()
        world.segment(() => {
          struck.resolve(world.service().kill())
          return fate
        })
        await struck.promise
        world.normally()
        await world.start()
      }
      return '3 kills'
    },
  },
  {
    name: 'kill -9 while Drift is asked',
    rows: ['F1'],
    async run(world) {
      const struck = Promise.withResolvers<void>()
      world.sims.drift.script('/conversations/*', () => {
        struck.resolve(world.service().kill())
        return { hang: true }
      })
      await struck.promise
      world.normally()
      await world.start()
      return '1 kill'
    },
  },
  {
    name: 'kill -9 right after an answer',
    rows: ['F1'],
    async run(world) {
      await world.load.finish()
      for (let round = 0; round < 3; round++) {
        const kept = await world.load.say('begun', world.pick(world.accounts).org)
        await world.service().kill()
        if (!kept) throw new Error('a healthy service did not take a webhook')
        await world.start()
      }
      return '3 kills'
    },
  },
  ...(
    [
      ['write', 'pwrite64', 400],
      ['fsync', 'fsync,fdatasync', 80],
    ] as const
  ).map(
    ([name, calls, most]): Scenario => ({
      name: `kill -9 at the n-th ${name} of the store`,
      rows: ['F2'],
      impossible: (engine) => (engine === 'sqlite' ? needsStrace() : 'this engine writes in a process of its own'),
      run: (world) => killedAt(world, calls, most),
    }),
  ),
  {
    name: 'SIGTERM under load',
    rows: ['F28'],
    async run(world) {
      const ended = await world.service().stop()
      if (ended !== 0) throw new Error(`SIGTERM ended the service with ${ended}`)
      await world.start()
      await lasting(200)
      world.service().signal('SIGTERM')
      await lasting(world.whole(0, 20))
      await world.service().stop()
      await world.start()
      return undefined
    },
  },
]

/** At the n-th such call of the thread that writes; n is left to chance, and so are its surroundings. */
async function killedAt(world: World, calls: string, most: number): Promise<string> {
  const points: number[] = []
  for (let round = 0; round < 4; round++) {
    await world.service().kill()
    const when = world.whole(2, most)
    // Without --seccomp-bpf: with it strace 6.1 injects errors, and forgets signals.
    const inject = `inject=${calls}:signal=KILL:when=${when}`
    const under = ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', inject]
    const started = await world.start({ under }).catch(() => undefined)
    const ended = started ? await Promise.race([started.ended, lasting(4_000)]) : 'SIGKILL'
    if (ended === 'SIGKILL') points.push(when)
    if (started?.isUp()) await started.kill()
    await world.start()
  }
  if (points.length === 0) throw new Error('in four rounds the call was never met: nothing was shown')
  return `killed at number ${points.join(', ')}`
}
