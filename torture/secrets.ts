/** Nothing secret may be found in what the service wrote: its log and its store, in any common spelling. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sims } from '../src/sim/index.ts'
import type { Ledger } from './ledger.ts'

interface Searched {
  /** Where the log and the store are. */
  folder: string
  sims: Sims
  ledger: Ledger
}

/** What was found where, in words; nothing when all is well. */
export function secretsFound({ folder, sims, ledger }: Searched): string[] {
  const { settings, accessTokens, refreshTokens } = sims.drift
  const secrets = [
    settings.verificationToken,
    settings.clientSecret,
    ...[...ledger.keys.values()].flatMap((keys) => [...keys]),
    ...accessTokens.keys(),
    ...refreshTokens.keys(),
    ...ledger.secrets,
  ]
  const spellings = secrets.flatMap((secret) => [
    secret,
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('base64'),
  ])
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.flatMap(({ name, parentPath }) => {
    if (/\.reserve$|\.strace$/.test(name)) return []
    const bytes = readFileSync(join(parentPath, name))
    return spellings.some((spelling) => bytes.includes(spelling)) ? [`${name} holds a secret`] : []
  })
}
