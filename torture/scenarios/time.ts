/** Clocks that jump and processes that stand still. */
import { lasting, type Scenario } from '../scenario.ts'

const hourMs = 3_600_000

export const timeTroubles: Scenario[] = [
  {
    name: 'the wall clock jumps forward and back',
    rows: ['F9'],
    async run(world) {
      for (const ms of [hourMs, -hourMs, -hourMs, 30_000, hourMs - 30_000]) {
        world.step(ms)
        await lasting(400)
      }
      return 'five steps of up to an hour'
    },
  },
  {
    name: 'SIGSTOP for longer than a lease, with requests under way',
    rows: ['F10'],
    async run(world) {
      world.speed(100)
      world.segment(() => ({ delayMs: 300 }))
      for (let round = 0; round < 2; round++) {
        await lasting(400)
        const stopped = world.service()
        stopped.signal('SIGSTOP')
        await lasting(900)
        stopped.signal('SIGCONT')
      }
      return 'twice, a minute and a half each'
    },
  },
]
