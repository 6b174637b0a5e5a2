import { Problem } from '../lib/errors.ts'
import type { Mode, Storage } from './ports.ts'

/** Opens the engine that the URL's scheme names: `sqlite:PATH`. The folder of that name holds it. */
export async function openStorage(url: string, mode: Mode): Promise<Storage> {
  const [scheme = '', path = ''] = [url.slice(0, url.indexOf(':')), url.slice(url.indexOf(':') + 1)]
  if (scheme === 'sqlite') {
    const { open } = await import('./sqlite/open.ts')
    return open(path, mode)
  }
  throw new Problem('database_url_unknown', `DATABASE_URL starts with an unknown scheme`, {
    hint: 'use sqlite:PATH',
    exitCode: 78,
  })
}
