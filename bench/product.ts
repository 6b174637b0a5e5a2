/** The product as a child process, set up as anyone would: its settings, its accounts, its store in a folder. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Env } from '../src/config.ts'
import { type Running, start } from './process.ts'
import { firstOrg, token, writeKeyOf } from './webhook.ts'

/** Which storage engine runs below, by the URL that opens it in a folder. */
export interface Engine {
  name: string
  databaseUrl(folder: string): string
}

export const sqlite: Engine = { name: 'SQLite', databaseUrl: (folder) => `sqlite:${join(folder, 'bench.db')}` }

/** One key for the whole run, so that a copied store opens. */
const encryptionKey = `bench:${randomBytes(32).toString('base64')}`

/** What each account's grant has. */
export const accessToken = 'bench-access-token'

/** A port where nothing listens: the events that the bench posts need no lookup at Drift. */
const nowhere = 'http://127.0.0.1:9'

export function settingsFor(engine: Engine, folder: string, segmentUrl = nowhere): Env {
  return {
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: engine.databaseUrl(folder),
    ENCRYPTION_KEYS: encryptionKey,
    DRIFT_VERIFICATION_TOKENS: token,
    DRIFT_CLIENT_ID: 'bench-client',
    DRIFT_CLIENT_SECRET: 'bench-secret',
    DRIFT_API_URL: nowhere,
    SEGMENT_API_URL_US: segmentUrl,
    SEGMENT_API_URL_EU: segmentUrl,
    SEGMENT_CDN_URL: segmentUrl,
  }
}

/** A module of the checkout that is measured, so that each checkout writes its own store. */
export async function moduleOf<Module>(root: string, path: string): Promise<Module> {
  return (await import(pathToFileURL(join(root, path)).href)) as Module
}

/** Installs so many accounts in the store of a folder; `paused`: what they get is kept and not sent. */
export async function install(
  root: string,
  env: Env,
  accountCount: number,
  state: 'live' | 'paused' = 'live',
): Promise<void> {
  const { readConfig } = await moduleOf<typeof import('../src/config.ts')>(root, 'src/config.ts')
  const { openStore } = await moduleOf<typeof import('../src/service.ts')>(root, 'src/service.ts')
  const { grantFields } = await moduleOf<typeof import('../src/accounts/grant.ts')>(root, 'src/accounts/grant.ts')
  const { sealWriteKey } = await moduleOf<typeof import('../src/accounts/write-key.ts')>(
    root,
    'src/accounts/write-key.ts',
  )
  const { changeDestination } = await moduleOf<typeof import('../src/accounts/destinations.ts')>(
    root,
    'src/accounts/destinations.ts',
  )
  const { openKeyring } = await moduleOf<typeof import('../src/accounts/keyring.ts')>(root, 'src/accounts/keyring.ts')
  const { systemRandom } = await moduleOf<typeof import('../src/lib/random.ts')>(root, 'src/lib/random.ts')
  const config = readConfig(env, 'store')
  const store = await openStore(config, 'create')
  const { storage, accounts, clock } = store
  // No other process puts keys there. To look for them before each new one would take minutes for ten thousand.
  const { vault } = storage
  const stored = await vault.list('')
  const { read, create, replace, remove } = vault
  const list = async (prefix: string) => stored.splice(0).filter(({ name }) => name.startsWith(prefix))
  const own = { read, create, replace, remove, list }
  const keyring = await openKeyring(own, config.encryptionKeys, systemRandom)
  try {
    const installOne = async (org: number) => {
      const id = String(org)
      const fields = await grantFields(keyring, id, { accessToken }, clock.now())
      const key = await sealWriteKey(keyring, id, 1, writeKeyOf(org))
      await accounts.change(id, clock.now(), ({ reason: _, ...known }) =>
        changeDestination({ ...known, ...fields, state }, 1, { key }),
      )
    }
    // One by one: those made at once would all want the same id.
    for (let org = firstOrg; org < firstOrg + accountCount; org++) await keyring.seal(String(org), 'bench', '')
    // Together they share commits.
    for (let at = 0; at < accountCount; at += installedAtOnce) {
      const count = Math.min(installedAtOnce, accountCount - at)
      await Promise.all(Array.from({ length: count }, (_, more) => installOne(firstOrg + at + more)))
    }
  } finally {
    await store.close()
  }
}

const installedAtOnce = 100

/** `npm start`, but for the set-up; its log goes nowhere, at the level that is the default. */
export function serve(root: string, env: Env): Promise<Running> {
  return start('src/main.ts', ['serve'], env, { root, counts: true })
}

export function webhooksOf({ url }: Running): string {
  return `${url}/webhooks/drift`
}
