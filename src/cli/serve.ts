import { readConfig } from '../config.ts'
import type { Command } from './command.ts'

export const serve: Command = {
  name: 'serve',
  summary: 'run the service; settings come from the environment or .env (see README)',
  examples: ['npx drift-segment-source serve'],
  async run(context) {
    const config = readConfig(context.env)
    // Listened for from the start: a signal may come before the service does.
    const stopped = context.untilStopped()
    const service = await context.openService(config)
    context.remark(`listening on ${service.url}`)
    context.remark(`Drift's request URL: ${config.publicUrl ?? service.url}/webhooks/drift`)
    const broken = await Promise.race([stopped, service.broken])
    context.remark(broken ? 'the store has stopped, and so must the service' : 'stopping: finishing what is under way')
    await service.close()
    if (broken) throw broken
  },
}
