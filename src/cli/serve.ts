import { readConfig } from '../config.ts'
import type { Command } from './command.ts'

export const serve: Command = {
  name: 'serve',
  summary: 'run the service; settings come from the environment or .env (see README)',
  examples: ['npx drift-segment-source serve'],
  async run(context) {
    const service = await context.openService(readConfig(context.env))
    context.remark(`listening on ${service.url}: Drift's request URL ends in /webhooks/drift`)
    await context.untilStopped()
    context.remark('stopping: finishing what is under way')
    await service.close()
  },
}
