/** What GitHub is asked to do. No workflow runs here: each is held to rules, and its scripts are what is tried. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../../', import.meta.url))
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')
const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }

interface Step {
  uses?: string
  run?: string
  with?: Record<string, unknown>
}
interface Workflow {
  permissions?: Record<string, string>
  jobs: Record<string, { 'timeout-minutes'?: number; permissions?: Record<string, string>; steps: Step[] }>
}

/** What is wrong with a workflow, in sentences. */
function wrongIn(text: string): string[] {
  const { permissions, jobs } = parse(text) as Workflow
  const steps = Object.values(jobs).flatMap((job) => job.steps)
  const unpinned = steps.filter(({ uses }) => uses !== undefined && !/@[0-9a-f]{40}$/.test(uses))
  return [
    ...(permissions && Object.values(permissions).every((may) => may === 'read') ? [] : ['it may do more than read']),
    ...Object.entries(jobs).flatMap(([name, job]) => (job['timeout-minutes'] ? [] : [`${name} may run for ever`])),
    ...unpinned.map(({ uses }) => `${uses} is not named by its commit`),
    ...[...text.matchAll(/uses: \S+$/gm)].map(([line]) => `${line} does not say which version that is`),
    ...steps.flatMap(({ run }) => (run === undefined || isScript(run) ? [] : [`${run} is not a script of ours`])),
    ...steps.flatMap(({ run }) => (run?.includes('${{') ? [`${run} has what GitHub puts into it run by a shell`] : [])),
    ...steps
      .filter(
        ({ uses, with: given }) => uses?.startsWith('actions/checkout@') && given?.['persist-credentials'] !== false,
      )
      .map(() => 'the checkout leaves a token behind'),
  ]
}

/** `.ci/name` or `npm run name`, with arguments. */
function isScript(run: string): boolean {
  const [, file, name] = /^(?:(\.ci\/[\w-]+)|npm run ([\w:-]+) --)(?: "?[\w$-]+"?)*\n?$/.exec(run) ?? []
  if (name !== undefined) return name in scripts
  if (file === undefined) return false
  accessSync(join(root, file), constants.X_OK)
  return true
}

describe('a workflow', () => {
  for (const file of readdirSync(join(root, '.github/workflows'))) {
    test(`${file} only calls scripts of the project, with the least rights and pinned actions`, () => {
      assert.deepEqual(wrongIn(textOf(`.github/workflows/${file}`)), [])
    })
  }

  const good = `permissions: {}
jobs:
  a:
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@${'0'.repeat(40)} # v1
        with: { persist-credentials: false }
      - run: .ci/run
`
  const broken: readonly (readonly [from: string | RegExp, to: string, why: RegExp])[] = [
    ['permissions: {}', 'permissions: { contents: write }', /more than read/],
    ['permissions: {}\n', '', /more than read/],
    ['    timeout-minutes: 5\n', '', /for ever/],
    [/@0+ # v1/, '@v1 # v1', /not named by its commit/],
    [' # v1', '', /which version/],
    ['.ci/run', 'npm ci && npm test', /not a script/],
    ['.ci/run', 'npm run not-there --', /not a script/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as GitHub writes it.
    ['.ci/run', '.ci/run "${{ github.head_ref }}"', /by a shell/],
    ['persist-credentials: false', 'fetch-depth: 0', /leaves a token/],
  ]
  test('that is otherwise is noticed', () => {
    assert.deepEqual(wrongIn(good), [])
    for (const [from, to, why] of broken) assert.match(wrongIn(good.replace(from, to)).join('\n'), why)
  })

  const isHere = spawnSync('actionlint', ['--version']).error === undefined
  test('is as actionlint wants it', { skip: isHere ? false : 'actionlint is not on this machine' }, () => {
    const { status, stdout } = spawnSync('actionlint', [], { cwd: root, encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })
})

describe('.ci/publish', () => {
  /** Its three tools are programs that only note what they were asked for. */
  function publish(sum: string): { status: number | null; asked: string[]; stderr: string } {
    const folder = mkdtempSync(join(tmpdir(), 'publish-test-'))
    try {
      const noted = join(folder, 'asked')
      for (const tool of ['npm', 'docker', 'gh'])
        writeFileSync(join(folder, tool), `#!/bin/sh\necho "${tool} $1 $2" >> '${noted}'\n`, { mode: 0o755 })
      writeFileSync(noted, '')
      writeFileSync(join(folder, 'drift-segment-source-1.2.3.tgz'), 'package')
      writeFileSync(join(folder, 'SHA256SUMS'), `${sum}  drift-segment-source-1.2.3.tgz\n`)
      const { status, stderr } = spawnSync(join(root, '.ci/publish'), ['v1.2.3', folder], {
        encoding: 'utf8',
        env: { PATH: [folder, process.env.PATH].join(delimiter), IMAGE: 'registry.example.com/source' },
      })
      return { status, stderr, asked: readFileSync(noted, 'utf8').trim().split('\n').filter(Boolean) }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('pushes the image, then the packages, then makes the release', () => {
    const { status, asked, stderr } = publish('bc4a71180870f7945155fbb02f4b0a2e3faa2a62d6d31b7039013055ed19869a')
    assert.equal(status, 0, stderr)
    assert.deepEqual(
      asked.map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['docker load', 'docker tag', 'docker push', 'npm publish', 'gh release'],
    )
  })

  test('publishes nothing where a file is not what its checksum says', () => {
    const { status, asked } = publish('0'.repeat(64))
    assert.notEqual(status, 0)
    assert.deepEqual(asked, [])
  })
})
