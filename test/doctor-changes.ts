/** What changes a sound store, each time by one thing, and what `doctor` then says: of each sentence of doctor's one at least. */
import { openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { FindingName } from '../src/cli/findings.ts'
import type { Env } from '../src/config.ts'
import { append, arrival } from '../src/storage/conformance.ts'
import { openStorage } from '../src/storage/open.ts'
import type { Engine, Stores } from './engines.ts'
import { startPgbouncer, withoutPgbouncer } from './pgbouncer.ts'
import { startRaw } from './raw-server.ts'
import { org, runCommand } from './rig.ts'

const id = String(org)
const newKey = Buffer.from('vutsrqponmlkjihgfedcba9876543210').toString('base64')

/** A sound store with one account, and what a change may touch. */
export interface World {
  env: Env
  stores: Stores
  /** Undoes what would outlive this store. */
  later(undo: () => unknown): void
}

export interface Change {
  /** What is so afterwards. */
  when: string
  on?: Engine['name'][]
  /** Why it cannot be tried here, if so. */
  skip?: string | false
  make(world: World): unknown
  /** What is said no longer, and what is said now instead or besides. */
  ends?: FindingName[]
  begins?: FindingName[]
  /** Of the output, afterwards only. */
  says?: RegExp
  exitCode: number
}

export const ofStore: FindingName[] = ['store_sound', 'store_writable', 'keys_first', 'counts_right']
const add = async ({ env }: World, receivedAt: number) => {
  const storage = await openStorage(env.DATABASE_URL!, 'beside')
  await append(storage, [arrival({ org: id, receivedAt })])
  await storage.close()
}

export const changes: readonly Change[] = [
  {
    when: 'another version saved an option that this one cannot read',
    make: async ({ env }) => {
      const storage = await openStorage(env.DATABASE_URL!, 'beside')
      const install = (await storage.installs.get(id))!
      await storage.installs.save({ ...install, settings: '{"offTypes":"of-later"}' })
      await storage.close()
    },
    begins: ['account_unreadable'],
    says: new RegExp(
      `^bad {2}account ${id}: the setting offTypes cannot be read.*\\n.*what to do: run the version`,
      'm',
    ),
    exitCode: 1,
  },
  {
    when: 'a setting is missing',
    make: ({ env }) => (env.DRIFT_VERIFICATION_TOKENS = ''),
    ends: ['settings_good', ...ofStore, 'partner_answers'],
    begins: ['settings_wrong'],
    says: /^bad {2}.*\n +DRIFT_VERIFICATION_TOKENS: is missing.*\n.*what to do: see the settings table/m,
    exitCode: 1,
  },
  {
    when: 'a name is one edit away from a setting',
    make: ({ env }) => (env.SEGMENT_REGOIN = 'eu'),
    begins: ['setting_misspelt'],
    says: /^look {1}settings: SEGMENT_REGOIN is not a setting\n.*did you mean SEGMENT_REGION\?/m,
    exitCode: 0,
  },
  {
    when: 'a name begins as settings do',
    make: ({ env }) => (env.DRIFT_ORGS = '1'),
    begins: ['setting_unknown'],
    says: /^look {1}settings: DRIFT_ORGS is not a setting\n.*README/m,
    exitCode: 0,
  },
  {
    when: 'Kubernetes has set a port',
    make: ({ env }) => (env.METRICS_PORT = 'tcp://10.0.0.1:9464'),
    begins: ['setting_passed_over'],
    says: /^look {1}settings: METRICS_PORT is an address that Kubernetes made .*\n.*enableServiceLinks/m,
    exitCode: 0,
  },
  {
    when: 'a write key has an unusual form',
    make: ({ env }) =>
      Object.assign(env, { DRIFT_ORG_ID: id, DRIFT_ACCESS_TOKEN: 'aT6k', SEGMENT_WRITE_KEY: '03fwkuu3' }),
    begins: ['setting_unusual'],
    says: /^look {1}settings: SEGMENT_WRITE_KEY is accepted, but unusual: .+\n.*correct it/m,
    exitCode: 0,
  },
  {
    when: 'no store is where DATABASE_URL points',
    make: async ({ env, stores }) => (env.DATABASE_URL = await stores.fresh()),
    ends: ofStore,
    begins: ['store_unusable'],
    says: /^bad {2}store: .*\(store_not_there\)\n.*what to do: .*DATABASE_URL/m,
    exitCode: 78,
  },
  {
    when: 'PostgreSQL stands behind a pool that lends by transaction',
    on: ['postgres'],
    skip: withoutPgbouncer,
    make: async ({ env, later }) => {
      const pool = await startPgbouncer(env.DATABASE_URL!, 'transaction')
      later(() => pool.close())
      env.DATABASE_URL = pool.url
    },
    ends: ofStore,
    begins: ['store_unusable'],
    says: /^bad {2}store: .*\(pool_mode_unsupported\)\n.*pool_mode = session/m,
    exitCode: 78,
  },
  {
    when: 'the bodies of events are gone',
    make: async (world) => {
      await add(world, Date.now())
      await runSql(world.env, 'DELETE FROM bodies')
    },
    ends: ofStore,
    begins: ['store_damaged'],
    says: /^bad {2}store: damaged: 1 entries have no body\n.*restore the last backup/m,
    exitCode: 1,
  },
  {
    when: 'pages of the file were overwritten, so that it cannot be read to its end',
    on: ['sqlite'],
    make: ({ env }) => {
      const file = openSync(env.DATABASE_URL!.slice('sqlite:'.length), 'r+')
      // All but the schema: the first pages of the tables are the earliest ones of the file.
      for (let page = 1; page < 30; page++) writeSync(file, Buffer.alloc(64, 0xff), 0, 64, page * 4_096)
    },
    ends: ofStore,
    begins: ['store_damaged'],
    says: /^bad {2}store: damaged: .+\n.*restore the last backup/m,
    exitCode: 1,
  },
  {
    when: 'the store refuses to be written',
    make: async ({ env }) =>
      env.DATABASE_URL!.startsWith('sqlite:')
        ? runSql(env, "CREATE TRIGGER full BEFORE UPDATE ON places BEGIN SELECT RAISE(ABORT, 'not now'); END")
        : runSql(env, 'ALTER TABLE meta ADD CHECK (schema < 0) NOT VALID'),
    ends: ['store_writable'],
    begins: ['store_not_writable'],
    says: /^bad {2}store: cannot be written: .+\n.*webhooks are answered 503/m,
    exitCode: 1,
  },
  {
    when: 'a new key is the first, and nothing has been moved to it',
    make: ({ env }) => (env.ENCRYPTION_KEYS = `new:${newKey},${env.ENCRYPTION_KEYS}`),
    ends: ['keys_first'],
    begins: ['keys_older'],
    says: /^look {1}keys: still needed beside the first: test\n.*keys rotate/m,
    exitCode: 0,
  },
  {
    when: 'a new key is the first, and everything was moved to it',
    make: async ({ env }) => {
      env.ENCRYPTION_KEYS = `new:${newKey},${env.ENCRYPTION_KEYS}`
      await runCommand(env, 'keys rotate')
    },
    exitCode: 0,
  },
  {
    when: 'an event was counted that is nowhere',
    make: ({ env }) =>
      runSql(
        env,
        `INSERT INTO counts (org, destination, type, outcome, reason, count) VALUES ('${id}', 0, 'x', 'received', '', 1)`,
      ),
    ends: ['counts_right'],
    begins: ['counts_wrong'],
    says: /^bad {2}counts: what was received does not add up\n.*`check`/m,
    exitCode: 1,
  },
  {
    when: 'no account was ever connected',
    make: async ({ env, stores }) => {
      env.DATABASE_URL = await stores.fresh()
      await (await openStorage(env.DATABASE_URL, 'create')).close()
    },
    begins: ['accounts_none'],
    says: /^look {1}accounts: none yet\n.*`installs add`/m,
    exitCode: 0,
  },
  {
    when: 'an event has waited for its turn for a quarter of an hour',
    make: (world) => add(world, Date.now() - 15 * 60_000),
    begins: ['account_events'],
    says: /^look {1}account 5000883: 1 waiting: queued, the oldest for 15 min\n.*`inspect`/m,
    exitCode: 0,
  },
  {
    when: 'an event has just arrived',
    make: (world) => add(world, Date.now()),
    exitCode: 0,
  },
  {
    when: 'an event was received by a clock that was two hours ahead',
    make: (world) => add(world, Date.now() + 2 * 3_600_000),
    begins: ['clock_behind'],
    says: /^bad {2}clock: the event that came last was received 2 hours from now\n.*keep time/m,
    exitCode: 1,
  },
  {
    when: 'an event was received by a clock that was a little ahead',
    make: (world) => add(world, Date.now() + 30_000),
    exitCode: 0,
  },
  {
    when: 'an event waits while its account is paused',
    make: async (world) => {
      await runCommand(world.env, 'installs pause', { given: { org: id } })
      await add(world, Date.now())
    },
    begins: ['account_events'],
    says: /^look {1}account 5000883: 1 waiting: paused, .*\n.*resume it/m,
    exitCode: 0,
  },
  {
    when: 'the partners cannot be reached',
    make: ({ env }) => {
      for (const name of ['DRIFT_API_URL', 'SEGMENT_API_URL_US', 'SEGMENT_API_URL_EU']) env[name] = 'http://127.0.0.1:9'
    },
    ends: ['partner_answers'],
    begins: ['partner_unreachable'],
    says: /^bad {2}Segment \(eu\): 127\.0\.0\.1:9 cannot be reached \(ECONNREFUSED\)\n.*firewall.*HTTPS_PROXY/m,
    exitCode: 1,
  },
  {
    when: 'what answers for a partner does not speak TLS',
    make: ({ env }) => (env.SEGMENT_API_URL_EU = env.SEGMENT_API_URL_US!.replace('http:', 'https:')),
    begins: ['partner_unreachable'],
    says: /^bad {2}Segment \(eu\): .* cannot be reached \(TLS_NOT_SPOKEN\)\n.*the address and its port/m,
    exitCode: 1,
  },
  {
    when: 'a partner says another time',
    make: async ({ env, later }) => {
      const date = new Date(0).toUTCString()
      const theirs = await startRaw(`HTTP/1.1 404 Not Found\r\nDate: ${date}\r\nContent-Length: 0\r\n\r\n`)
      later(() => theirs.close())
      env.SEGMENT_API_URL_EU = theirs.url
    },
    begins: ['clock_wrong'],
    says: /^bad {2}clock: \d{10} s away from Segment \(eu\)'s\n.*keep time/m,
    exitCode: 1,
  },
]

/** Past the engine. */
export async function runSql({ DATABASE_URL }: Env, text: string): Promise<void> {
  const url = DATABASE_URL!
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.slice('sqlite:'.length))
    db.exec(text)
    db.close()
    return
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`SET search_path TO drift_segment_source; ${text}`)
  await client.end()
}
