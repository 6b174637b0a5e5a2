/** A version after this one, as far as its store goes: a copy of the program whose schema has one step more on each engine. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './serve.ts'

export interface NextVersion {
  /** The folder of its project. */
  folder: string
  remove(): void
}

/** A column of a table that every event goes through, and a table. */
const further = `ALTER TABLE entries ADD COLUMN next_note text; CREATE TABLE next_notes (note text)`

/** `additive`: replicas of this version can go on beside it, on PostgreSQL. */
export function makeNextVersion({ additive = false } = {}): NextVersion {
  const folder = mkdtempSync(join(tmpdir(), 'next-version-'))
  for (const part of ['src', 'packages/bridge/built'])
    cpSync(join(root, part), join(folder, part), { recursive: true, filter: (from) => !from.endsWith('.test.ts') })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version: '99.0.0' }))
  addStep(join(folder, 'src/storage/sqlite/migrations.ts'), `\`${further}\``)
  const mark = additive ? ', additive: true' : ''
  addStep(join(folder, 'src/storage/postgres/migrations.ts'), `{ sql: \`${further}\`${mark} }`)
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}

/** Behind the last step: their list is the first that ends at the start of a line. */
function addStep(path: string, step: string): void {
  const text = readFileSync(path, 'utf8')
  const added = text.replace(/\n\]\n/, `\n  ${step},\n]\n`)
  if (added === text) throw new Error(`${path} has no list of steps`)
  writeFileSync(path, added)
}
