/**
 * npm run bench [-- --only <line>] [--rounds N] [--quick] [--write]: what README's table of performance says, measured
 * now. Figures are ratios of one run: other machines, and busy ones, give other numbers and nearly the same ratios.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { lines } from './lines.ts'
import { sqlite } from './product.ts'
import { openRig } from './rig.ts'
import { placed, type Row, tableOf } from './table.ts'

const { values: given } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const documents = ['README.md', 'docs/performance.md']

const known = lines.map(({ name }) => name)
const unknown = (given.only ?? []).filter((name) => !known.includes(name))
if (unknown.length > 0 || !/^[1-9]\d?$/.test(given.rounds)) {
  process.stderr.write(`--only takes one of ${known.join(', ')}; --rounds a whole number from 1 to 99\n`)
  process.exit(64)
}
const chosen = lines.filter(({ name }) => given.only?.includes(name) ?? true)

if (chosen.some(({ peers }) => peers)) {
  const { ensurePackages, SetupFailure } = await import(new URL('../runtime/packages.mjs', import.meta.url).href)
  const folder = fileURLToPath(new URL('.', import.meta.url))
  await ensurePackages(folder, { what: 'the packages that the bench measures against' }).catch((error: Error) => {
    if (!(error instanceof SetupFailure)) throw error
    process.stderr.write(`${error.message}\n${(error as Error & { hint: string }).hint}\n`)
    process.exit(1)
  })
}

const rig = openRig({
  rounds: given.quick ? 1 : Number(given.rounds),
  seconds: given.quick ? 1 : 3,
  warmSeconds: given.quick ? 2 : 10,
  quick: given.quick,
  engine: sqlite,
})
const rows: Row[] = []
const startedAt = performance.now()
for (const line of chosen) {
  process.stderr.write(`${line.name}: ${line.question}\n`)
  rows.push(...(await line.run(rig)))
}
const text = `${about()}\n\n${tableOf(rows)}`
process.stdout.write(`${text}\n`)
if (given.write) for (const path of documents) await write(path)

async function write(path: string): Promise<void> {
  const url = new URL(`../${path}`, import.meta.url)
  await writeFile(url, placed(await readFile(url, 'utf8'), 'bench', text))
}

/** When, on what, and with which versions. */
function about(): string {
  const minutes = Math.ceil((performance.now() - startedAt) / 60_000)
  const memory = Math.round(totalmem() / 1_024 ** 3)
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? arch()}, ${memory} GiB, ${platform()} ${release()}`
  const rounds = given.quick
    ? 'one quick round, of no worth as a measurement'
    : `medians of ${given.rounds} rounds (smallest–largest)`
  const date = new Date().toISOString().slice(0, 10)
  return `Measured on ${date} by \`npm run bench\` in ${minutes} min, ${rounds}, under Node ${process.versions.node} with SQLite ${process.versions.sqlite ?? ''} on ${machine}.`
}
