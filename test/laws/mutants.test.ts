/** Services that break the promise on purpose: `npm run torture -- --mutants ''` shows what notices each. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mutants } from '../../torture/mutants/list.ts'
import { allMarks, changed, marksIn } from '../../torture/mutants/marks.ts'
import { judgeMutants, nameOf, unfit } from '../../torture/mutants/run.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('each `// mutant:` in the source has a mutant in torture/mutants/, and each mutant is marked once', () => {
  assert.deepEqual(unfit(), [])
})

test('each test that is to catch a mutant is there, under the title that the list names', () => {
  const named = mutants.flatMap(({ catchers }) => catchers.flatMap((one) => ('test' in one ? [one] : [])))
  const gone = named.filter(({ test, only = '' }) => {
    const path = join(root, test)
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(only)
  })
  assert.deepEqual(gone, [])
})

test('a mutant replaces the whole statement below its mark, over however many lines it is written', () => {
  const after = (source: string) => changed(source, marksIn('a.ts', source)[0]!, 'b()')
  assert.equal(after('// mutant: x\na()\nc()'), '// mutant: x\nb()\nc()')
  assert.equal(after('// mutant: x\na(\n  1,\n)\n  .b()\nc()'), '// mutant: x\nb()\nc()')
  assert.equal(after('  // mutant: x\n  if (a) {\n    b()\n  }\n}'), '  // mutant: x\nb()\n}')
})

test('the source with every mutant in it has no error of types, so that each is caught for what it does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drift-segment-source-mutants-'))
  try {
    for (const name of ['src', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      include: ['src'],
      exclude: ['**/*.test.ts'],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const becomes = new Map(mutants.map((mutant) => [mutant.name, mutant.becomes]))
    // From the last of a file to its first, so that the lines of those above stay where they are.
    for (const mark of allMarks().reverse()) {
      const path = join(folder, mark.path)
      writeFileSync(path, changed(readFileSync(path, 'utf8'), mark, becomes.get(mark.name)!))
    }
    const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc], { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a mutant is made in a copy, and caught there', { timeout: 120_000 }, async () => {
  const [judged, ...more] = await judgeMutants({ only: 'takes a redirect for a success' }, () => {})
  assert.equal(more.length, 0)
  assert.equal(judged?.caughtBy, nameOf({ simulate: 1 }))
  assert.match(judged?.said ?? '', /lost/)
})
