/** The durable engines that can be tortured: where each keeps its store, and how a server of its own is ended. */
import { join } from 'node:path'
import { type Postgres, startPostgres, withoutPostgres } from '../test/postgres.ts'

export interface Engine {
  name: string
  /** For DATABASE_URL. */
  url: string
  /** Services on this store at once. */
  replicas: number
  /** The database's own server, where there is one. */
  server?: Postgres
}

let server: Promise<Postgres> | undefined

export const engines: Record<string, (folder: string) => Promise<Engine>> = {
  sqlite: async (folder) => ({ name: 'sqlite', url: `sqlite:${join(folder, 'test.db')}`, replicas: 1 }),
  async postgres() {
    server ??= startPostgres()
    const started = await server
    return { name: 'postgres', url: await started.fresh(), replicas: 3, server: started }
  },
}

/** Those that can run here. */
export const possibleEngines = Object.keys(engines).filter((name) => name !== 'postgres' || !withoutPostgres)

/** One server serves all worlds of a run, each with a database of its own. */
export async function closeEngines(): Promise<void> {
  await (await server)?.close()
  server = undefined
}
