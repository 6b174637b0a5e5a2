import { Problem } from '../lib/errors.ts'
import type { Mode, Storage } from './ports.ts'

/** Opens the engine that the URL's scheme names; the folder of that name holds it, and what it needs is loaded then. */
export async function openStorage(url: string, mode: Mode): Promise<Storage> {
  const [scheme = '', path = ''] = [url.slice(0, url.indexOf(':')), url.slice(url.indexOf(':') + 1)]
  if (scheme === 'sqlite') {
    const { open } = await import('./sqlite/open.ts')
    return open(path, mode)
  }
  if (scheme === 'postgres' || scheme === 'postgresql') {
    const { open } = await import('./postgres/open.ts')
    return open(url, mode)
  }
  throw new Problem('database_url_unknown', `DATABASE_URL starts with an unknown scheme`, {
    hint: 'use sqlite:PATH or postgres://…',
    exitCode: 78,
  })
}
