/** Several services on one database, and faults of the database itself. */
import { lasting, type Scenario } from '../scenario.ts'

const onlyServer = (engine: string) => engine === 'sqlite' && 'SQLite is not a server: one process holds its file'

export const replicaScenarios: Scenario[] = [
  {
    name: 'all replicas are killed, and start together on a full queue',
    rows: ['F11', 'F1'],
    impossible: onlyServer,
    async run(world) {
      world.segment(() => ({ status: 503 }))
      await lasting(1_500)
      await Promise.all(world.services().map((one) => one.kill()))
      world.normally()
      await world.start()
      world.skip(120_000)
      await lasting(1_000)
      return `${world.engine.replicas} at once`
    },
  },
  {
    name: 'each replica is killed in turn',
    rows: ['F1'],
    impossible: onlyServer,
    async run(world) {
      for (let turn = 0; turn < world.engine.replicas; turn++) {
        await lasting(world.whole(200, 700))
        await world.service().kill()
        await world.start()
      }
      return `${world.engine.replicas} kills`
    },
  },
  {
    name: 'PostgreSQL stops as if its power had gone, and starts again',
    rows: ['F3', 'F6', 'F7'],
    impossible: onlyServer,
    async run({ engine, whole }) {
      for (let round = 0; round < 2; round++) {
        await lasting(whole(200, 900))
        await engine.server!.stop('immediate')
        await lasting(whole(200, 1_500))
        await engine.server!.start()
      }
      await lasting(500)
      return 'twice'
    },
  },
  {
    name: 'connections to PostgreSQL are ended in the middle of whatever they do',
    rows: ['F7'],
    impossible: onlyServer,
    async run({ engine }) {
      let ended = 0
      for (let round = 0; round < 6; round++) {
        await lasting(250)
        const all = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
        ended += (await engine.server!.query(all, engine.url)).length
      }
      return `${ended} connections`
    },
  },
]
