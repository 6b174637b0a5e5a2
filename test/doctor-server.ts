/** What `doctor` says of a PostgreSQL server that is set, or followed, so that a 200 promises less. */
import pg from 'pg'
import { eventually } from './clock.ts'
import { type Change, runSql, type World } from './doctor-changes.ts'
import type { Stores } from './engines.ts'

const turnOff =
  (setting: string) =>
  async ({ stores, later }: World) => {
    const server = stores as Stores & { query(sql: string): Promise<Record<string, string>[]> }
    const turn = async (value: 'on' | 'off') => {
      await server.query(`ALTER SYSTEM SET ${setting} = ${value}`)
      await server.query('SELECT pg_reload_conf()')
      await eventually(async () => (await server.query(`SHOW ${setting}`))[0]?.[setting] === value)
    }
    later(() => turn('on'))
    await turn('off')
  }

export const serverChanges: readonly Change[] = [
  ...['fsync', 'full_page_writes'].map(
    (setting): Change => ({
      when: `PostgreSQL runs with ${setting} off`,
      on: ['postgres'],
      make: turnOff(setting),
      begins: ['server_setting_off'],
      says: new RegExp(`^bad {2}store: PostgreSQL runs with ${setting} = off: .*\\n.*set ${setting} = on`, 'm'),
      exitCode: 1,
    }),
  ),
  {
    when: 'an index of PostgreSQL is not valid, as one whose making was cut off',
    on: ['postgres'],
    make: ({ env }) =>
      runSql(
        env,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'drift_segment_source.entries_org'::regclass",
      ),
    begins: ['index_not_valid'],
    says: /^bad {2}store: the index drift_segment_source\.entries_org is not valid.*\n.*REINDEX INDEX CONCURRENTLY drift_segment_source\.entries_org/m,
    exitCode: 1,
  },
  {
    when: 'a standby follows that no commit waits for',
    on: ['postgres'],
    make: async ({ env, stores, later }) => {
      const server = stores as Stores & { query(sql: string): Promise<Record<string, string>[]> }
      const standby = new pg.Client({ connectionString: env.DATABASE_URL!, replication: 'true' } as pg.ClientConfig)
      standby.on('error', () => {})
      await standby.connect()
      later(() => standby.end())
      const [at] = (await standby.query<{ xlogpos: string }>('IDENTIFY_SYSTEM')).rows
      void standby.query(`START_REPLICATION PHYSICAL ${at!.xlogpos}`).catch(() => {})
      await eventually(async () => (await server.query('SELECT pid FROM pg_stat_replication')).length === 1)
    },
    begins: ['standbys_not_waited_for'],
    says: /^look {1}store: PostgreSQL has standbys \(1\), .*\n.*synchronous_standby_names/m,
    exitCode: 0,
  },
]
