/** What CONTRIBUTING says of another event, done as it says: two new files, no edit, and what a contributor would run. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ended, startChild } from '../children.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'another-event-'))
const type = 'chat_to_call'
const left = new Set(['.git', 'node_modules', 'data', 'coverage'])

before(() => {
  cpSync(root, folder, { recursive: true, filter: (from) => !left.has(basename(from)) })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
  const block = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(contributing)![1]!
  writeFileSync(join(folder, `src/events/${type}.ts`), block('ts'))
  writeFileSync(join(folder, `src/events/${type}.json`), block('json'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** Resolves to what was printed, and how it ended. */
async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; output: string }> {
  const child = startChild(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (text: Buffer) => {
      output += text
    })
  return { code: await ended(child), output }
}

test('an event that is added as CONTRIBUTING says passes all that a contributor runs', {
  timeout: 180_000,
}, async () => {
  const written = await run(['--test', 'test/laws/docs.test.ts'], { WRITE_DOCS: '1' })
  assert.equal(written.code, 0, written.output)
  assert.match(readFileSync(join(folder, 'README.md'), 'utf8'), new RegExp(`\\| \`?${type}`))
  const checks: string[][] = [
    ['node_modules/typescript/bin/tsc', '--noEmit'],
    ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', 'src/events'],
    ['--test', 'src/events/catalogue.test.ts', 'test/laws/docs.test.ts'],
    [
      '--test',
      'test/delivery/journey.test.ts',
      'src/sim/drift.test.ts',
      'test/laws/architecture.test.ts',
      'test/laws/tidy.test.ts',
    ],
  ]
  const ran = await Promise.all(checks.map(async (args) => ({ args, ...(await run(args)) })))
  for (const { args, code, output } of ran) assert.equal(code, 0, `${args.join(' ')}\n${output.slice(-3_000)}`)
})
