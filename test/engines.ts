/** The engines that DATABASE_URL can name, for tests that must hold on each. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, withoutPostgres } from './postgres.ts'

export interface Engine {
  name: 'sqlite' | 'postgres'
  /** Why its tests are left out, if they are. */
  skip: string | false
  start(): Promise<Stores>
}

export interface Stores {
  /** A DATABASE_URL where nothing is yet. */
  fresh(): Promise<string>
  /** What a service that was killed holds lasts until its lease runs out, unless the next one knows better: now it has. */
  leasesRunOut(url: string): Promise<void>
  close(): Promise<void>
}

export const engines: readonly Engine[] = [
  {
    name: 'sqlite',
    skip: false,
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-stores-'))
      let made = 0
      return {
        fresh: async () => `sqlite:${join(folder, `${++made}.db`)}`,
        leasesRunOut: async () => {},
        close: () => rm(folder, { recursive: true }),
      }
    },
  },
  {
    name: 'postgres',
    skip: withoutPostgres,
    async start() {
      const server = await startPostgres()
      const sql = 'UPDATE drift_segment_source.lanes SET lease_until = 0 WHERE lease_until IS NOT NULL'
      return { ...server, leasesRunOut: async (url) => void (await server.query(sql, url)) }
    },
  },
]
