/** Makes each mutant in a copy of the project and lets the suite at it. */
import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endChild, startChild } from '../../test/children.ts'
import { mutants } from './list.ts'
import { allMarks, changed, type Mark } from './marks.ts'
import type { Catcher, Mutant } from './mutant.ts'

export interface Judged {
  name: string
  /** What noticed, and the first thing it said; undefined: nothing did. */
  caughtBy?: string
  said?: string
  ms: number
}

const root = fileURLToPath(new URL('../../', import.meta.url))
/** What takes longer hangs, and that is noticed too. */
const catchMsMax = 120_000
const left = new Set(['.git', 'node_modules', 'data', 'dist', 'docs', 'coverage'])

/** In so many runs with `turn`, one after the other, each has been tried. */
const turns = 12

/**
 * All of them, or those with `only` in their name. With `turn`, the number of this run, only the part of these whose turn it
 * is. `told` is called with each result.
 */
export async function judgeMutants(
  { only, turn }: { only: string; turn?: number | undefined },
  told: (judged: Judged) => void,
): Promise<Judged[]> {
  const folder = mkdtempSync(join(tmpdir(), 'drift-segment-source-mutants-'))
  try {
    cpSync(root, folder, { recursive: true, filter: (from) => !left.has(basename(from)) })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const named = mutants.filter(({ name }) => name.includes(only))
    const chosen = named.filter((_, at) => turn === undefined || at % turns === turn % turns)
    const marks = new Map(allMarks().map((mark) => [mark.name, mark]))
    const results: Judged[] = []
    for (const mutant of chosen) {
      const judged = await judge(mutant, marks.get(mutant.name)!, folder)
      results.push(judged)
      told(judged)
    }
    return results
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What must hold before anything is judged: each mutant is marked in the source, once. In words, what is not so. */
export function unfit(): string[] {
  const marks = allMarks()
  const names = new Set(mutants.map(({ name }) => name))
  const strange = marks.filter(({ name }) => !names.has(name))
  return [
    ...strange.map(({ name, path }) => `${path}: the list of mutants does not have "${name}"`),
    ...mutants.flatMap(({ name }) => {
      const places = marks.filter((mark) => mark.name === name).map(({ path }) => path)
      return places.length === 1 ? [] : [`"${name}" is marked ${places.length} times: ${places.join(', ')}`]
    }),
  ]
}

async function judge({ name, becomes, catchers }: Mutant, mark: Mark, folder: string): Promise<Judged> {
  const startedAt = performance.now()
  const path = join(folder, mark.path)
  const whole = readFileSync(path, 'utf8')
  try {
    writeFileSync(path, changed(whole, mark, becomes))
    for (const catcher of catchers) {
      const said = await complaintOf(catcher, folder)
      if (said !== undefined) return { name, caughtBy: nameOf(catcher), said, ms: performance.now() - startedAt }
    }
    return { name, ms: performance.now() - startedAt }
  } finally {
    writeFileSync(path, whole)
  }
}

export function nameOf(catcher: Catcher): string {
  if ('test' in catcher) return catcher.test
  return 'simulate' in catcher ? 'the simulation' : `torture ${catcher.torture}`
}

/** What it says is wrong; undefined when it is content. A mutant that cannot even be loaded proves nothing. */
export async function complaintOf(catcher: Catcher, folder: string): Promise<string | undefined> {
  const args =
    'test' in catcher
      ? ['--test', ...(catcher.only ? [`--test-name-pattern=${catcher.only}`] : []), catcher.test]
      : 'simulate' in catcher
        ? ['torture/main.ts', '--simulate', String(catcher.simulate), '--stop']
        : ['torture/main.ts', '--fault', catcher.torture, '--minutes', '0.05', '--seed', '1', '--engine', 'sqlite']
  // What is true of one engine is tried on SQLite, which starts at once; what PostgreSQL alone has needs one.
  const skip = nameOf(catcher).startsWith('src/storage/postgres/') ? {} : { SKIP_POSTGRES: 'yes' }
  const env = { ...process.env, ...skip, TEST_PATIENCE_MS: '15000', NODE_TEST_CONTEXT: undefined }
  const child = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { code, output } = await ended(child)
  if (code === 0) return undefined
  if (/SyntaxError|ERR_MODULE_NOT_FOUND|ReferenceError/.test(output))
    throw new Error(`it does not even run: ${output.slice(0, 2_000)}`)
  const found =
    /^.*(✖|BROKEN|AssertionError).*$/m.exec(output)?.[0] ??
    (code === 'SIGKILL' ? 'it did not come to an end' : `ended with ${code}`)
  return found.trim().slice(0, 160)
}

function ended(child: ChildProcess): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream!.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    const timer = setTimeout(() => void endChild(child), catchMsMax)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? signal ?? 'nothing', output })
    })
  })
}
