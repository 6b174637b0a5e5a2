import { existsSync } from 'node:fs'
import { Problem } from '../lib/errors.ts'
import { copyAll } from './copy.ts'
import { storeNotThere } from './not-there.ts'
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

/** Copies everything from one store into an empty one; resolves to what has not arrived, if anything. */
export async function moveStore(from: string, to: string, { told, compare }: Move): Promise<string | undefined> {
  if (!from.startsWith('sqlite:') || !/^postgres(ql)?:/.test(to)) {
    throw new Problem('move_unknown', 'moving goes from sqlite:PATH to postgres://…', { exitCode: 2 })
  }
  if (!existsSync(from.slice('sqlite:'.length))) {
    throw new Problem('move_unknown', 'no store is at the path to move from', { exitCode: 2 })
  }
  // For serving: no service may run on it, and its schema is brought up to date.
  const holder = await openStorage(from, 'serve')
  try {
    const { openRows: openSource } = await import('./sqlite/rows.ts')
    const { openRows: openTarget } = await import('./postgres/rows.ts')
    const [source, target] = [openSource(from.slice('sqlite:'.length)), await openTarget(to)]
    try {
      const short = await copyAll(source, target, told)
      if (short.length > 0) return `rows of ${short.join(', ')}`
    } finally {
      await source.close()
      await target.close()
    }
    const moved = await openStorage(to, 'beside')
    try {
      return await compare(holder.ledger, moved.ledger)
    } finally {
      await moved.close()
    }
  } finally {
    await holder.close()
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
  if (!existsSync(path)) throw storeNotThere('path')
  const { compactDatabase } = await import('./sqlite/compact.ts')
  return compactDatabase(path)
}

export interface Move {
  /** How far a table is. */
  told(table: string, rows: number, of: number): void
  /** What differs between what the two stores have counted, if anything. */
  compare(from: Ledger, to: Ledger): Promise<string | undefined>
}
