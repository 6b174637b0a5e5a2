/** The real service in a process of its own, as `serve` runs it, but for its clock: that obeys the parent. */
import { environment, readConfig } from '../src/config.ts'
import { Problem } from '../src/lib/errors.ts'
import { openService } from '../src/service.ts'
import { bentClock } from './clock.ts'

/** What the parent says. */
export interface Order {
  speed?: number
  stepMs?: number
  skipMs?: number
}

const [aheadMs, speed] = process.argv.slice(2).map(Number)
const clock = bentClock()
clock.step(aheadMs!)
clock.setSpeed(speed!)
process.on('message', ({ speed, stepMs, skipMs }: Order) => {
  if (speed !== undefined) clock.setSpeed(speed)
  if (stepMs !== undefined) clock.step(stepMs)
  if (skipMs !== undefined) clock.skip(skipMs)
})
// The parent has gone, and with it the only process that would stop this one.
const orphaned = () => process.exit(1)
process.on('disconnect', orphaned)

try {
  const stopped = Promise.withResolvers<void>()
  const service = await openService(readConfig(environment()), { clock, unsafeAllowLoopback: true })
  process.once('SIGTERM', () => stopped.resolve())
  process.send!({ url: service.url })
  const broken = await Promise.race([stopped.promise, service.broken])
  await service.close()
  if (broken) throw broken
  process.off('disconnect', orphaned).disconnect()
} catch (error) {
  process.stderr.write(`${error instanceof Problem ? error.code : error}\n`)
  process.exit(error instanceof Problem ? error.exitCode : 1)
}
