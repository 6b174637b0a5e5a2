/** Clocks that jump and processes that stand still. */
import { lasting, type Scenario } from '../scenario.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export const timeScenarios: Scenario[] = [
  {
    name: 'the wall clock jumps forward and back',
    rows: ['F9'],
    async run(world) {
      for (const ms of [hourMs, -hourMs, -hourMs, 30_000, hourMs - 30_000, dayMs, -dayMs]) {
        world.step(ms)
        await lasting(400)
      }
      return 'seven steps of up to a day'
    },
  },
  {
    name: 'the wall clock is set back while everything waits and the service is down',
    rows: ['F9', 'F1'],
    async run(world) {
      world.segment(() => ({ status: 503 }))
      world.step(dayMs)
      await lasting(1_500)
      await Promise.all(world.services().map((one) => one.kill()))
      world.step(-dayMs)
      world.normally()
      await world.start()
      return 'by a day'
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
