/** The launcher of every command is invisible once the program runs: arguments, output, signals and the end pass through. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../children.ts'
import { end, start } from '../script.ts'

const runtime = fileURLToPath(new URL('../../runtime', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'launcher-test-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

test('a run of tests is refused where a file that it names is not there, whatever else it names', async () => {
  const script = [join(runtime, 'test.mjs'), 'src/lib/seal.test.ts', 'test/not-there.test.ts']
  const { code, stdout, stderr } = await end(start(script))
  assert.deepEqual([code, stdout, stderr], [1, '', 'No test file matches test/not-there.test.ts\n'])
})

describe('the launcher', () => {
  test('gives arguments, output and exit code through', async () => {
    const script = newScript(`console.log(JSON.stringify(process.argv.slice(2))); process.exit(78)`)
    const { code, stdout } = await end(start([join(runtime, 'run.mjs'), script, '--once', 'two words']))
    assert.equal(code, 78)
    assert.deepEqual(JSON.parse(stdout), ['--once', 'two words'])
  })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) {
    test(`hands ${signal} on and waits for the program's own end`, async () => {
      const script = newScript(`
        process.on('${signal}', () => { console.log('drained'); clearInterval(up); process.exitCode = 3 })
        const up = setInterval(() => {}, 1000)
        console.log('up')`)
      const launcher = start([join(runtime, 'run.mjs'), script])
      launcher.stdout!.once('data', () => launcher.kill(signal))
      const { code, stdout } = await end(launcher)
      assert.deepEqual({ code, stdout }, { code: 3, stdout: 'up\ndrained\n' })
    })
  }

  for (const [key, byte] of [
    ['Ctrl-C', '\x03'],
    ['Ctrl-\\', '\x1c'],
  ] as const)
    test(`lets the program finish when ${key} on a terminal reaches both`, {
      skip: existsSync('/usr/bin/script') ? false : 'there is no script(1) to make a terminal with',
    }, async () => {
      const program = newScript(`
        for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM'])
          process.once(signal, () => { clearInterval(up); setTimeout(() => console.log('drained'), 300) })
        const up = setInterval(() => {}, 1000)
        console.log('up')`)
      const command = [process.execPath, join(runtime, 'run.mjs'), program].map((word) => `'${word}'`).join(' ')
      // The shell gives its place to the launcher: dash, where it stays, ends by Ctrl-\ and takes the terminal with it.
      const terminal = startChild('/usr/bin/script', ['-qec', `exec ${command}`, '/dev/null'], { stdio: 'pipe' })
      terminal.stdout!.once('data', () => terminal.stdin!.write(byte))
      assert.match((await end(terminal)).stdout, /drained/)
    })

  test('opens no inspector on SIGUSR1, and lets neither that nor SIGUSR2 reach the program or end it', async () => {
    const script = newScript(`
      process.on('SIGUSR2', () => console.log('reached'))
      process.stdin.once('data', () => { console.log('still there'); process.exit() })
      console.log('up')`)
    const launcher = startChild(process.execPath, [join(runtime, 'run.mjs'), script], { stdio: 'pipe' })
    launcher.stdout!.once('data', () => {
      for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) launcher.kill(signal)
      launcher.stdin!.write('go on')
    })
    const { code, stdout, stderr } = await end(launcher)
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'up\nstill there\n', stderr: '' })
  })

  test('stops the program when the shell that npm started it in is killed', async () => {
    const script = newScript(`
      process.on('SIGTERM', () => { console.log('drained'); clearInterval(up) })
      const up = setInterval(() => {}, 1000)
      console.log('up')`)
    const shell = newScript(`
      import { spawn } from 'node:child_process'
      spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' })`)
    const npm = start([shell, join(runtime, 'run.mjs'), script], { env: { ...process.env, npm_command: 'start' } })
    npm.stdout!.once('data', () => npm.kill('SIGKILL'))
    assert.equal((await end(npm)).stdout, 'up\ndrained\n')
  })

  test('ends by the signal that ended the program', async () => {
    const script = newScript(`process.kill(process.pid, 'SIGKILL')`)
    const { code, signal } = await end(start([join(runtime, 'run.mjs'), script]))
    assert.deepEqual({ code, signal }, { code: null, signal: 'SIGKILL' })
  })
})

function newScript(source: string): string {
  const path = join(mkdtempSync(join(scratch, 'script-')), 'script.mjs')
  writeFileSync(path, source)
  return path
}
