/** The engines that DATABASE_URL can name, for tests that must hold on each. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './clock.ts'
import { startPostgres, usePostgres, withoutPostgres } from './postgres.ts'

export interface Engine {
  name: 'sqlite' | 'postgres'
  /** Why its tests are left out, if they are. */
  skip: string | false
  /** `own`: on a server that the test may stop or change. */
  start(own?: boolean): Promise<Stores>
}

export interface Stores {
  /** A DATABASE_URL where nothing is yet. */
  fresh(): Promise<string>
  /**
   * What a service that was killed holds lasts until its lease runs out, unless the next one knows better: now it has.
   * No service may be connected any more.
   */
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
    async start(own = false) {
      const server = await (own ? startPostgres() : usePostgres())
      return {
        ...server,
        async leasesRunOut(url) {
          // The server may still commit a claim of a service that was killed, a moment after it was.
          const others = `SELECT pid, state, query FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`
          let left: unknown[] = []
          await eventually(
            async () => {
              left = await server.query(others, url)
              return left.length === 0
            },
            () => left,
          )
          await server.query('UPDATE drift_segment_source.lanes SET lease_until = 0 WHERE lease_until IS NOT NULL', url)
        },
      }
    },
  },
]
