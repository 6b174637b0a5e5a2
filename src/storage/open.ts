import { Problem } from '../lib/errors.ts'
import { copyAll } from './copy.ts'
import type { Ledger } from './ports/lookup.ts'
import type { Mode, Storage } from './ports/storage.ts'

/** The name of the engine that the URL's scheme names, and of its folder. */
export function engineOf(url: string): string {
  const scheme = url.slice(0, url.indexOf(':'))
  return scheme === 'postgresql' ? 'postgres' : scheme
}

/** Opens the engine that the URL names; what it needs is loaded then. */
export async function openStorage(url: string, mode: Mode): Promise<Storage> {
  const engine = engineOf(url)
  if (engine === 'sqlite') {
    const { open } = await import('./sqlite/open.ts')
    return open(url.slice('sqlite:'.length), mode)
  }
  if (engine === 'postgres') {
    const { open } = await import('./postgres/open.ts')
    return open(url, mode)
  }
  throw new Problem('database_url_unknown', `DATABASE_URL starts with an unknown scheme`, {
    hint: 'use sqlite:PATH or postgres://…',
    exitCode: 78,
  })
}

/**
 * Copies everything from one store into an empty one; resolves to what has not arrived, if anything. Where a store cannot
 * be opened, the Problem names the option of `move` that gave its address.
 */
export async function moveStore(from: string, to: string, { told, compare }: Move): Promise<string | undefined> {
  if (!from.startsWith('sqlite:') || !/^postgres(ql)?:/.test(to)) {
    throw new Problem('move_unknown', 'moving goes from sqlite:PATH to postgres://…', {
      hint: '`move --help` has an example',
      exitCode: 2,
    })
  }
  const openNamed = (option: string, url: string, mode: Mode) => naming(option, () => openStorage(url, mode))
  // As a command first, which makes no store where there is none.
  await (await openNamed('--from', from, 'beside')).close()
  // For serving: no service may run on it, and its schema is brought up to date.
  const holder = await openNamed('--from', from, 'serve')
  try {
    const { openRows: openSource } = await import('./sqlite/rows.ts')
    const { openRows: openTarget } = await import('./postgres/rows.ts')
    const target = await naming('--to', () => openTarget(to))
    const source = openSource(from.slice('sqlite:'.length))
    try {
      const short = await copyAll(source, target, told)
      if (short.length > 0) return `rows of ${short.join(', ')}`
    } finally {
      await source.close()
      await target.close()
    }
    const moved = await openNamed('--to', to, 'beside')
    try {
      return await compare(holder.ledger, moved.ledger)
    } finally {
      await moved.close()
    }
  } finally {
    await holder.close()
  }
}

/** Stores say what is wrong with the setting; here an option took its place. */
async function naming<Opened>(option: string, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open()
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    const { code, message, hint, exitCode } = cause
    const named = (text: string) => text.replaceAll('DATABASE_URL', option)
    throw new Problem(code, named(message), { exitCode, cause, ...(hint === undefined ? {} : { hint: named(hint) }) })
  }
}

/** Rewrites an SQLite store in its place, while no service and no command works on it; resolves to its sizes in bytes. */
export async function compactStore(url: string): Promise<{ bytesBefore: number; bytesAfter: number }> {
  const path = url.slice('sqlite:'.length)
  if (!url.startsWith('sqlite:')) {
    throw new Problem('compact_elsewhere', 'PostgreSQL takes dead rows away by VACUUM', {
      hint: 'see "Erase a person" in docs/operate.md',
      exitCode: 2,
    })
  }
  const { compactDatabase } = await import('./sqlite/compact.ts')
  return compactDatabase(path)
}

export interface Move {
  /** How far a table is. */
  told(table: string, rows: number, of: number): void
  /** What differs between what the two stores have counted, if anything. */
  compare(from: Ledger, to: Ledger): Promise<string | undefined>
}
