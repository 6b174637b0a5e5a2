/**
 * npm run bench [-- --only <line>] [--rounds N] [--quick] [--write]: what docs/performance.md and README say of speed, measured
 * now. Figures are ratios of one run: other machines, and busy ones, give other numbers, and often nearly the same ratios.
 * --against <folder>: this checkout against another one, round by round; with --quick it takes three minutes.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Measured, withHeadlines, withSections } from './documents.ts'
import { abreast } from './line.ts'
import { lines } from './lines.ts'
import { here } from './process.ts'
import { sqlite } from './product.ts'
import { openRig } from './rig.ts'
import { tableOf } from './table.ts'

const usage = `npm run bench -- [option …]
  --only <line>       only this line (${lines.map(({ name }) => name).join(', ')}); may be given again
  --rounds <n>        1 to 99; 3 by default
  --quick             few lines, one round, of little worth but for ratios
  --against <folder>  this checkout against another one, round by round
  --write             also write the tables into docs/performance.md and README.md
`
const given = read()
const roundsGiven = given.rounds ?? (given.quick && given.against === undefined ? '1' : '3')
const known = lines.map(({ name }) => name)
const unknown = (given.only ?? []).filter((name) => !known.includes(name))
if (unknown.length > 0 || !/^[1-9]\d?$/.test(roundsGiven)) {
  refuse(`--only takes one of ${known.join(', ')}; --rounds a whole number from 1 to 99`)
}
const rounds = Number(roundsGiven)
if (given.write && given.quick) refuse('--write writes what was measured in full, and not what --quick has looked at')
const there = given.against === undefined ? undefined : resolve(given.against)
if (
  there !== undefined &&
  (given.write || !['node_modules', 'src/service.ts'].every((path) => existsSync(join(there, path))))
) {
  refuse('--against takes the folder of another checkout with its packages installed; nothing of it is written')
}
const chosen = lines.filter(({ name, quick = false, hereOnly = false }) => {
  if (there !== undefined && hereOnly) return false
  return given.only?.includes(name) ?? (quick || !given.quick)
})

if (chosen.some(({ peers }) => peers)) {
  const { ensurePackages, SetupFailure } = await import(new URL('../runtime/packages.mjs', import.meta.url).href)
  const folder = fileURLToPath(new URL('.', import.meta.url))
  await ensurePackages(folder, { what: 'the packages that the bench measures against' }).catch((error: Error) => {
    if (!(error instanceof SetupFailure)) throw error
    process.stderr.write(`${error.message}\n${(error as Error & { hint: string }).hint}\n`)
    process.exit(1)
  })
}

const beganAt = performance.now()
const options = {
  peers: there === undefined,
  rounds,
  seconds: given.quick ? 2 : 3,
  warmSeconds: given.quick ? 3 : 10,
  quick: given.quick,
  engine: sqlite,
}
const rig = openRig({ ...options, root: here })
const other = there === undefined ? undefined : { name: given.against!, rig: openRig({ ...options, root: there }) }
const measured: Measured[] = []
for (const line of chosen) {
  const { name, question } = line
  process.stderr.write(`${name}: ${question}\n`)
  const startedAt = performance.now()
  const rows = await (other ? abreast(line, rounds, rig, other.rig, other.name) : line.run(rig))
  const seconds = (performance.now() - startedAt) / 1_000
  measured.push({ question, about: about(name, seconds), rows })
  // After each: what ends a run early leaves the lines before it.
  if (given.write) await write()
}
process.stdout.write(`${about()}\n\n${tableOf(measured.flatMap(({ rows }) => rows))}\n`)

function read() {
  const options = {
    help: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    against: { type: 'string' },
    write: { type: 'boolean', default: false },
  } as const
  try {
    const { values } = parseArgs({ options })
    if (!values.help) return values
  } catch (error) {
    refuse(`${(error as Error).message}\n${usage}`)
  }
  process.stdout.write(usage)
  process.exit()
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n`)
  process.exit(64)
}

async function write(): Promise<void> {
  const performance = await rewrite('docs/performance.md', (document) => withSections(document, measured, lines))
  await rewrite('README.md', (document) => withHeadlines(document, performance))
}

async function rewrite(path: string, change: (document: string) => string): Promise<string> {
  const url = new URL(`../${path}`, import.meta.url)
  const text = change(await readFile(url, 'utf8'))
  await writeFile(url, text)
  return text
}

/** When, on what, and with which versions: of one line, or of the whole run. */
function about(name?: string, seconds = (performance.now() - beganAt) / 1_000): string {
  const memory = Math.round(totalmem() / 1_024 ** 3)
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? arch()}, ${memory} GiB, ${platform()} ${release()}`
  const medians = rounds === 1 ? 'one round' : `medians of ${rounds} rounds (smallest–largest)`
  const how = given.quick ? `${medians}, quick, so of little worth but for ratios` : medians
  const date = new Date().toISOString().slice(0, 10)
  const command = name === undefined ? 'npm run bench' : `npm run bench -- --only ${name}`
  const took = `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  return `Measured on ${date} by \`${command}\` in ${took}, ${how}, under Node ${process.versions.node} with SQLite ${process.versions.sqlite ?? ''} on ${machine}.`
}
