/**
 * The commands of the documents, each as it stands there, in order, beside a real service and a real store. A block that is
 * not run says why.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { settingNames, settings } from '../../src/settings/table.ts'
import { type Block, blocksOf } from '../blocks.ts'
import { eventually } from '../clock.ts'
import { documentOrg, type Operator, type OperatorOptions, serviceGroup, startOperator } from '../operator.ts'
import { type Postgres, startPostgres, withoutPostgres } from '../postgres.ts'
import { readTree } from '../tree.ts'

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

interface Case {
  options?: () => Promise<OperatorOptions>
  /** What is there before the first block. Default: a service that runs as docs/install.md leaves it, with events. */
  before?: (operator: Operator) => Promise<void>
  skip?: string | false
}

const withoutCurl =
  spawnSync('curl', ['--version']).error !== undefined && 'there is no curl here, with which the documents ask'

const documents: Readonly<Record<string, Case>> = {
  'docs/install.md': { before: async () => {} },
  'docs/operate.md': {},
  'docs/missing-events.md': {},
  'docs/backup.md': {},
  'docs/upgrade.md': {},
  'docs/secrets.md': {},
  'docs/outages.md': { options: async () => ({ partners: false }), before: async () => {} },
  'docs/replicas.md': {
    skip: withoutPostgres || withoutCurl,
    options: async () => ({
      here: {
        'postgres://source:PASSWORD@db.example.com/source?sslmode=verify-full': await ownPostgres(),
      },
    }),
  },
}

let postgres: Postgres | undefined
after(() => postgres?.close())

/** As an operator has it: the one that test files share does not wait for the disk, and doctor says so. */
async function ownPostgres(): Promise<string> {
  postgres = await startPostgres()
  return postgres.fresh()
}

// Most of their time they wait for the service to start.
describe('the commands of a document do what it says', { concurrency: 3 }, () => {
  for (const [path, { options, before = install, skip = withoutCurl }] of Object.entries(documents)) {
    test(path, { timeout: 180_000, skip }, async () => {
      const operator = await startOperator(await options?.())
      try {
        await before(operator)
        for (const block of toRun(path)) await judge(operator, block)
        assertServiceReads(join(operator.folder, 'secrets'))
      } finally {
        await operator.close()
      }
    })
  }
})

test('every document with commands in it is run here, and a block that is left out says why', () => {
  const written = readTree().filter(({ path }) => /^docs\/[\w-]+\.md$/.test(path))
  const blocks = written.flatMap(({ path, text }) => blocksOf(text).map((block) => ({ path, ...block })))
  const shell = blocks.filter(({ language }) => language === 'sh')
  const run = shell.filter(({ notRun }) => notRun === undefined).map(({ path }) => path)
  assert.deepEqual([...new Set(run)].sort(), Object.keys(documents).sort())
  for (const { path, notRun, text } of shell)
    assert.ok((notRun ?? 'it is run, as you see').length > 20, `${path}: ${text}`)
  const unnamed = blocks.filter(({ path, language }) => path in documents && language === '')
  assert.deepEqual(unnamed, [], 'say behind the fence what it is: sh, yaml, text')
})

test('docs/secrets.md says of every setting that is a secret how it is changed, and what to do when it has leaked', () => {
  const [change = '', leak = ''] = textOf('docs/secrets.md').split('\n## A secret has leaked\n')
  for (const name of settingNames.filter((one) => 'secret' in settings[one])) {
    assert.ok(change.includes(`\`${name}`), `${name} is changed`)
    assert.ok(leak.includes(name), `${name} has leaked`)
  }
})

test('what stands above a block is read with it', () => {
  const indented = [
    '  <!-- prints: a -->',
    '  <!-- prints: b c -->',
    '  <!-- exits: 3 -->',
    '  ```sh',
    '  one',
    '    two',
    '  ```',
  ]
  const [block, other] = blocksOf(`1. So:\n${indented.join('\n')}\n\n<!-- not run: no disk -->\n\`\`\`yaml\n\`\`\`\n`)
  assert.deepEqual(block, { language: 'sh', text: 'one\n  two\n', exits: 3, prints: ['a', 'b c'] })
  assert.deepEqual(other, { language: 'yaml', text: '', notRun: 'no disk', exits: 0, prints: [] })
})

/** The service runs as a user of its own: its group may read each secret, and no other user may enter the folder. */
function assertServiceReads(folder: string): void {
  if (!existsSync(folder)) return
  assert.deepEqual([statSync(folder).mode & 0o7777, statSync(folder).gid], [0o2750, serviceGroup])
  for (const name of readdirSync(folder)) {
    const { mode, gid } = statSync(join(folder, name))
    assert.deepEqual([name, (mode & 0o040) > 0, gid], [name, true, serviceGroup])
  }
}

function toRun(path: string): Block[] {
  return blocksOf(textOf(path)).filter(({ language, notRun }) => language === 'sh' && notRun === undefined)
}

async function judge(operator: Operator, { text, exits, prints }: Block): Promise<void> {
  const { code, output } = await operator.run(text)
  assert.equal(code, exits, `${text}\nprinted:\n${output}`)
  for (const words of prints) assert.ok(output.includes(words), `${text}\nprinted:\n${output}\nand not: ${words}`)
}

/** The blocks of docs/install.md, and events of several fates. */
async function install(operator: Operator): Promise<void> {
  for (const block of toRun('docs/install.md')) await judge(operator, block)
  const { drift, segment } = operator.sims
  segment.script(({ body }) => (body.includes('phone') ? { status: 400 } : undefined))
  const options = { to: `${operator.url}/webhooks/drift`, orgId: documentOrg }
  const odd = ['new_meeting', 'gdpr_delete_requested'].map((type) => ({ type, orgId: documentOrg, data: [] }))
  for (const event of ['phone_captured', 'new_meeting', ...odd])
    assert.equal((await drift.send(event, options)).status, 200)
  await segment.waitFor(2)
  await eventually(() => segment.requests.some(({ status }) => status === 400))
  segment.script(undefined)
}
