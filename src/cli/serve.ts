/** The service itself, until it is stopped. */
import { type Config, readConfig } from '../config.ts'
import { pause, systemClock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import type { Service } from '../service.ts'
import type { Command, Context } from './command.ts'

/** A database is often started together with the service, and may take as long as this to answer. */
const patienceMs = 120_000
const againMs = 1_000

export const serve: Command = {
  name: 'serve',
  summary: 'run the service; settings come from the environment or .env (see README)',
  examples: ['npx drift-segment-source serve'],
  async run(context) {
    const config = readConfig(context.env())
    // Listened for from the start: a signal may come before the service does.
    const stopped = context.untilStopped()
    const service = await openWhenThere(context, config, stopped)
    if (!service) return
    context.remark(`listening on ${service.url}`)
    context.remark(`Drift's request URL: ${config.publicUrl ?? service.url}/webhooks/drift`)
    const broken = await Promise.race([stopped, service.broken])
    context.remark(broken ? 'the store has stopped, and so must the service' : 'stopping: finishing what is under way')
    await service.close()
    if (broken) throw broken
  },
}

/** Waits for a database server that does not answer yet; undefined when the process is stopped meanwhile. */
async function openWhenThere(context: Context, config: Config, stopped: Promise<void>): Promise<Service | undefined> {
  const giveUpAt = systemClock.monotonic() + patienceMs
  let isStopped = false
  void stopped.then(() => {
    isStopped = true
  })
  for (let tries = 1; !isStopped; tries++) {
    try {
      return await context.openService(config)
    } catch (error) {
      const isAway =
        error instanceof Problem && error.code === 'store_unreachable' && /^postgres/.test(config.databaseUrl)
      if (!isAway || systemClock.monotonic() >= giveUpAt) throw error
      if (tries === 1) context.remark(`${error.message}: waiting for it, two minutes at most`)
      await Promise.race([stopped, pause(systemClock, againMs)])
    }
  }
  return undefined
}
