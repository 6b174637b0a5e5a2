/** Processes that tests start end with the tests, and a run of tests ends with its tests. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { endChild, ended, isThere, startChild } from '../children.ts'
import { eventually } from '../clock.ts'

const options = { timeout: 60_000 }
const scratch = mkdtempSync(join(tmpdir(), 'children-test-'))
const helper = JSON.stringify(fileURLToPath(new URL('../children.ts', import.meta.url)))
after(() => rmSync(scratch, { recursive: true }))

/**
 * A test file whose one test starts a process, which ignores SIGTERM and starts another one itself, and then does `then`.
 * Resolves to what runs the tests and to the ids of those two processes, once they are there.
 */
async function runTests(then: string, more: NodeJS.ProcessEnv = {}) {
  const path = join(scratch, `${crypto.randomUUID()}.test.ts`)
  const ids = `${path}.ids`
  writeFileSync(
    path,
    `import { existsSync } from 'node:fs'
     import { test } from 'node:test'
     import { startChild } from ${helper}
     test('starts a process', { timeout: 2_000 }, async () => {
       const script = 'read -r _; trap "" TERM; sleep 1000 & echo "$$ $!" > "$1.new"; mv "$1.new" "$1"; wait'
       const child = startChild('sh', ['-c', script, 'sh', ${JSON.stringify(ids)}], { stdio: 'pipe' })
       child.stdin.write('\\n') // once startChild() has returned
       while (!existsSync(${JSON.stringify(ids)})) await new Promise(setImmediate)
       ${then}
     })`,
  )
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, ...more }
  const args = ['--disable-warning=ExperimentalWarning', '--test', path]
  const run = startChild(process.execPath, args, { env, stdio: 'ignore' })
  await eventually(() => existsSync(ids))
  return { run, pids: readFileSync(ids, 'utf8').split(' ').map(Number) }
}

const gone = (pids: number[]) =>
  eventually(
    () => !pids.some(isThere),
    () => pids,
  )

describe('processes that tests start', { concurrency: true }, () => {
  for (const [how, then] of [
    ['throws in the middle', `throw new Error('in the middle')`],
    ['waits until its time is up', 'await new Promise(() => {})'],
    [
      'starts another process after its time was up',
      `await new Promise((later) => setTimeout(later, 2_500))
       startChild('sleep', ['1000'], { stdio: ['ignore', 'pipe', 'inherit'] })`,
    ],
  ] as const)
    test(`a test that ${how} leaves no process behind, and its run ends`, options, async () => {
      const { run, pids } = await runTests(then)
      assert.equal(await ended(run), 1)
      await gone(pids)
    })

  test('what tests have started ends also when the tests are killed with -9', options, async () => {
    const { run, pids } = await runTests('await new Promise(() => {})')
    await endChild(run)
    await gone(pids)
  })

  test('a test that leaves a server listening fails its file after a while, and its run ends', options, async () => {
    const { run } = await runTests(
      `const { createServer } = await import('node:net')
       createServer().listen(0, '127.0.0.1')`,
      { TEST_CLOSING_MS: '500' },
    )
    assert.equal(await ended(run), 1)
  })

  test('a disk that holds up the end of a test file for long does not fail it', options, async () => {
    const { run } = await runTests(
      `setImmediate(() => {
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900)
         setImmediate(() => {})
       })`,
      { TEST_CLOSING_MS: '500' },
    )
    assert.equal(await ended(run), 0)
  })

  test(
    'a test file that never ends is ended by its limit and named, and the files after it still run',
    options,
    async () => {
      const folder = mkdtempSync(join(scratch, 'limit-'))
      const write = (name: string, body: string) =>
        writeFileSync(join(folder, name), `import { test } from 'node:test'\n test('it', async () => { ${body} })`)
      write('a-loops.test.ts', 'for (;;) {}')
      write('b-waits.test.ts', 'setInterval(() => {}, 1000); await new Promise(() => {})')
      write('c-passes.test.ts', '')
      const limit = `${new URL('../limit.ts', import.meta.url)}?ms=1500`
      const files = ['a-loops', 'b-waits', 'c-passes'].map((name) => join(folder, `${name}.test.ts`))
      const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
      const run = startChild(process.execPath, ['--import', limit, '--test', ...files], {
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      let out = ''
      run.stdout!.on('data', (text: Buffer) => (out += text))
      assert.equal(await ended(run), 1)
      for (const name of ['a-loops', 'b-waits'])
        assert.match(out, new RegExp(`${name}.test.ts was ended: it ran for 1.5 s`))
      assert.match(out, /pass 1\n.*fail 2\n/)
    },
  )
})
