/** What CONTRIBUTING says of additions, done as it says in a copy of the project, and what a contributor would run. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { blocksOf } from '../blocks.ts'
import { ended, startChild } from '../children.ts'
import { neededSettings } from '../settings.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
const left = new Set(['.git', 'node_modules', 'data', 'coverage'])
const timeout = 240_000
let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'contributing-test-'))
  cpSync(root, folder, { recursive: true, filter: (from) => !left.has(basename(from)) })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** The block of this language under a heading of CONTRIBUTING, the first or another. */
function example(heading: string, language: string, nth = 0): string {
  const section = contributing.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const block = blocksOf(section).filter((one) => one.language === language)[nth]
  assert.ok(block, `${heading} has an example in ${language}`)
  return block.text
}

function write(path: string, text: string): void {
  writeFileSync(join(folder, path), text)
}

/** Puts a line before the first one that begins so. */
function insert(path: string, before: string, line: string): void {
  const text = readFileSync(join(folder, path), 'utf8')
  assert.ok(text.includes(`\n${before}`), `${path} has a line that begins with ${before}`)
  write(
    path,
    text.replace(`\n${before}`, () => `\n${line}\n${before}`),
  )
}

/** Resolves to what was printed, and how it ended. */
async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; output: string }> {
  const child = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
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

async function passes(...all: (string[] | [args: string[], env: NodeJS.ProcessEnv])[]): Promise<void> {
  const ran = all.map(async (one) => {
    const [args, env] = (Array.isArray(one[0]) ? one : [one, {}]) as [string[], NodeJS.ProcessEnv]
    return { args, ...(await run(args, env)) }
  })
  for (const { args, code, output } of await Promise.all(ran))
    assert.equal(code, 0, `${args.join(' ')}\n${output.slice(-3_000)}`)
}

const documents = 'test/laws/docs.test.ts'
const laws = ['imports', 'architecture', 'tidy'].map((name) => `test/laws/${name}.test.ts`)
const typecheck = ['node_modules/typescript/bin/tsc', '--noEmit']
const lint = (path: string) => ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', path]

describe('what is added as CONTRIBUTING says passes all that a contributor runs:', () => {
  test('an event', { timeout }, async () => {
    write('src/events/chat_to_call.ts', example('Add an event', 'ts'))
    write('src/events/chat_to_call.json', example('Add an event', 'json'))
    await passes([['--test', documents], { WRITE_DOCS: '1' }])
    assert.match(readFileSync(join(folder, 'README.md'), 'utf8'), /\| `?chat_to_call/)
    await passes(
      typecheck,
      lint('src/events'),
      ['--test', 'src/events/catalogue.test.ts', documents],
      ['--test', 'test/delivery/journey.test.ts', 'src/sim/drift.test.ts', ...laws],
    )
  })

  test('a command', { timeout }, async () => {
    write('src/cli/latest.ts', example('Add a command', 'ts'))
    insert('src/cli/index.ts', "import { move } from './move.ts'", "import { latest } from './latest.ts'")
    insert('src/cli/index.ts', '  doctor,', '  latest,')
    await passes([['--test', documents], { WRITE_DOCS: '1' }])
    assert.match(readFileSync(join(folder, 'README.md'), 'utf8'), /\| `latest` \| when the webhook/)
    await passes(typecheck, lint('src/cli'), ['--test', documents, ...laws])
    const env = { ...neededSettings, DATABASE_URL: `sqlite:${join(folder, 'latest.db')}` }
    const notThere = await run(['src/main.ts', 'latest'], env)
    assert.deepEqual([notThere.code, /store_not_there/.test(notThere.output)], [78, true], notThere.output)
    assert.match((await run(['src/main.ts', 'latest', '--help'])).output, /when the webhook that came last/)
  })

  test('a page of the console', { timeout }, async () => {
    write('src/web/console/latest.ts', example('Add a page of the console', 'ts'))
    write('test/console/latest.test.ts', example('Add a page of the console', 'ts', 1))
    insert(
      'src/web/console/index.ts',
      "import { liveRoute } from './live.ts'",
      "import { latestRoute } from './latest.ts'",
    )
    insert('src/web/console/index.ts', '  liveRoute(', '  latestRoute(app, needs)')
    insert(
      'src/web/console/ui/sections.ts',
      '  privacy: {',
      "  latest: { path: '/console/latest', name: 'Last event' },",
    )
    await passes(typecheck, lint('src/web'), [
      '--test',
      'test/console/latest.test.ts',
      'src/web/console/ui/layout.test.ts',
      ...laws,
    ])
  })

  test('an option of what is sent', { timeout }, async () => {
    const heading = 'Add an option of what is sent'
    write('src/mapping/omit-empty.ts', example(heading, 'ts'))
    write('src/mapping/omit-empty.test.ts', example(heading, 'ts', 1))
    insert('src/mapping/options.ts', "import { only } from './only.ts'", "import { omitEmpty } from './omit-empty.ts'")
    insert('src/mapping/options.ts', '  prefix,', '  omitEmpty,')
    const order = 'src/mapping/options.test.ts'
    write(order, readFileSync(join(folder, order), 'utf8').replace(' hash prefix', ' hash omitEmpty prefix'))
    const fields = 'src/web/console/mapping-fields.ts'
    insert(fields, "    ...(isOn('prefix')", "    ...(isOn('omitEmpty') ? { omitEmpty: true } : {}),")
    const boxes = readFileSync(join(folder, fields), 'utf8')
    write(fields, boxes.replace("'prefix'] as const", "'omitEmpty', 'prefix'] as const"))
    const box = (rest: string) => `      \${box(${rest}`
    const omitEmpty = box("'omitEmpty', 'Some tools take an empty text for a value.')}")
    insert(fields, "  prefix: 'Use another", "  omitEmpty: 'Leave out empty texts',")
    insert('src/web/console/mapping-form.ts', box("'prefix'"), omitEmpty)
    insert('test/some-options.ts', '      prefix:', '      omitEmpty: fc.constant(true as const),')
    await passes(['node_modules/@biomejs/biome/bin/biome', 'check', '--write', fields])
    await passes([['--test', documents], { WRITE_DOCS: '1' }])
    assert.match(readFileSync(join(folder, 'docs/mapping.md'), 'utf8'), /\| `omitEmpty` \| leaves out/)
    const tests = ['omit-empty', 'options', 'apply', 'printed'].map((name) => `src/mapping/${name}.test.ts`)
    await passes(
      typecheck,
      lint('src'),
      ['--test', ...tests, 'src/web/console/mapping-fields.test.ts', documents],
      ['--test', 'test/console/mapping.test.ts', 'test/operate/options.test.ts', ...laws],
    )
  })

  test('an engine', { timeout }, async () => {
    cpSync(join(folder, 'src/storage/sqlite'), join(folder, 'src/storage/another'), { recursive: true })
    insert(
      'src/storage/open.ts',
      "  if (engine === 'postgres') {",
      "  if (engine === 'another') return (await import('./another/open.ts')).open(url.slice('another:'.length), mode)",
    )
    insert(
      'src/settings/address.ts',
      '  const hint = isPostgres',
      '  if (/^another:.+/.test(text)) return { value: text }',
    )
    insert(
      'src/storage/conformance.test.ts',
      '  sqlite: withSqlite,',
      "  another: async (use) => withSqlite(use, (await import('./another/open.ts')).open),",
    )
    const conformance = readFileSync(join(folder, 'src/storage/conformance.test.ts'), 'utf8')
    write(
      'src/storage/conformance.test.ts',
      conformance
        .replace(
          'async function withSqlite(use: (storage: Storage) => Promise<void>)',
          (head) => `${head.slice(0, -1)}, open = openSqlite)`,
        )
        .replace("await openSqlite(join(folder, 'store.db')", "await open(join(folder, 'store.db')"),
    )
    const list = readFileSync(join(folder, 'test/engines.ts'), 'utf8')
    const [, sqlite = ''] = /engines: readonly Engine\[\] = \[\n([\s\S]*?\n {2}\},\n)/.exec(list)!
    write(
      'test/engines.ts',
      list
        .replace(sqlite, () => sqlite + sqlite.replaceAll('sqlite', 'another'))
        .replace("name: 'sqlite' | 'postgres'", "name: 'another' | 'sqlite' | 'postgres'"),
    )
    insert('test/storage/frozen.ts', '  sqlite: inFile,', '  another: inFile,')
    const named = (name: string) => ['--test', `--test-name-pattern=${name}`]
    await passes(
      typecheck,
      [...named('the another engine a ticket'), 'src/storage/conformance.test.ts'],
      [
        ...named('on another'),
        'test/accounts/settings.test.ts',
        'test/delivery/crash.test.ts',
        'test/storage/frozen.test.ts',
      ],
      ['--test', ...laws],
    )
  })
})
