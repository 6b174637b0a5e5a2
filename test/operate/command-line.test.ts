/** The program as a person starts it: a process of its own, its arguments, its signals, what it writes to and when that is gone. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Command } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/index.ts'
import { openLog } from '../../src/lib/log.ts'
import { isOnNetwork } from '../../src/storage/sqlite/at-path.ts'
import { bareEnv, endChild, startChild } from '../children.ts'
import { eventually } from '../clock.ts'
import { startRaw } from '../raw-server.ts'
import { neededSettings } from '../settings.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const flags = ['--disable-warning=ExperimentalWarning', '--disable-sigusr1']
const scratch = mkdtempSync(join(tmpdir(), 'command-line-test-'))
const token = neededSettings.DRIFT_VERIFICATION_TOKENS
const children: ChildProcess[] = []
afterEach(() => Promise.all(children.splice(0).map((child) => endChild(child))))
after(() => rmSync(scratch, { recursive: true }))

const env = {
  ...bareEnv,
  PORT: '0',
  METRICS_PORT: '0',
  DATABASE_URL: `sqlite:${scratch}/source.db`,
  ...neededSettings,
}

function start(
  args: string[],
  stdout: 'pipe' | number = 'pipe',
  more: NodeJS.ProcessEnv = {},
  given = flags,
  cwd = scratch,
) {
  const options = { env: { ...env, ...more }, cwd, stdio: ['ignore', stdout, 'pipe'] as const }
  const child = startChild(process.execPath, [...given, main, ...args], { ...options, stdio: [...options.stdio] })
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout?.on('data', (text) => (said.out += text))
  child.stderr!.on('data', (text) => (said.err += text))
  return { child, said }
}

async function run(args: string[], more: NodeJS.ProcessEnv = {}, cwd = scratch) {
  const { child, said } = start(args, 'pipe', more, flags, cwd)
  const [code] = await once(child, 'close')
  return { code, ...said }
}

async function serve(stdout: 'pipe' | number = 'pipe', given = flags) {
  const { child, said } = start(['serve'], stdout, {}, given)
  await eventually(() => /^listening on \S+$/m.test(said.err))
  const url = /^listening on (\S+)$/m.exec(said.err)![1]!
  const post = async (orgId: number) => {
    const body = JSON.stringify({ type: 'x', orgId, data: {} })
    const answer = await fetch(`${url}/webhooks/drift`, {
      method: 'POST',
      headers: { 'x-verification-token': token },
      body,
    })
    return answer.status
  }
  return { child, said, url, post, ended: once(child, 'exit') }
}

describe('--help', () => {
  const leaves = (all: readonly Command[], prefix = ''): [string, Command][] =>
    all.flatMap((command) => [
      ...(command.run ? [[prefix + command.name, command] as [string, Command]] : []),
      ...leaves(command.commands ?? [], `${prefix}${command.name} `),
    ])

  for (const [name, { examples }] of leaves(commands))
    test(`${name}: has an example that is of this very command`, () => {
      assert.ok(examples.length > 0)
      for (const example of examples)
        assert.ok(new RegExp(`(npx drift-segment-source|npm run) ${name}\\b`).test(example), example)
    })

  test('shows them, and exits 0', async () => {
    const { code, out } = await run(['redrive', '--help'])
    assert.equal(code, 0)
    assert.match(out, /Examples:\n {2}npx drift-segment-source redrive --from 24h --dry-run/)
  })
})

test('--version prints the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  assert.deepEqual(await run(['--version']), { code: 0, out: `${version}\n`, err: '' })
})

test('a .env that cannot be read keeps from working only what needs settings, which says what to do', async () => {
  const cwd = mkdtempSync(join(scratch, 'folder-'))
  mkdirSync(join(cwd, '.env'))
  const needNone = [['--help'], ['--version'], ['events'], ['keys', 'new'], ['snippet', '--url', 'https://a.example']]
  for (const args of [...needNone, ['demo', '--once']]) assert.equal((await run(args, {}, cwd)).code, 0, args.join(' '))
  for (const args of [['serve'], ['installs', 'list'], ['snippet']]) {
    const { code, err } = await run(args, {}, cwd)
    assert.equal(code, 78, args.join(' '))
    assert.match(err, /^settings_wrong: \.env is there .*EISDIR\n {2}what to do: it is a folder, .*: take it away/)
  }
})

test('the demo says it where it can make no folder for itself', async () => {
  const { code, err } = await run(['demo', '--once'], { TMPDIR: join(scratch, 'none') })
  assert.equal(code, 78)
  assert.match(err, /^folder_unusable: no folder can be made in \S+none, .*\(ENOENT\)\n {2}what to do: .*TMPDIR.*\n$/)
})

test('no command prints what a terminal obeys, reorders or hides: not what others answer, not its own arguments', async () => {
  const evil = 'a\u001b[2J\u009b2J\u202eb\u200b\u00a0\u{e0041}\u3164'
  const shown = String.raw`a\u001b[2J\u009b2J\u202eb\u200b\u00a0\udb40\udc41\u3164`
  const length = Buffer.byteLength(evil)
  const other = await startRaw(
    Buffer.from(`HTTP/1.1 500 x\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${evil}`),
  )
  const answered = await run(['send', 'new_conversation', '--to', other.url])
  await other.close()
  assert.deepEqual(answered, { code: 1, out: `500 ${shown}\n`, err: '' })
  for (const args of [['inspect', `--${evil}`], ['redrive', evil], [evil]]) {
    const { code, out, err } = await run(args)
    assert.deepEqual([code, out], [2, ''], err)
    assert.doesNotMatch(err, /(?![\n ])[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]/u)
  }
})

describe('arguments', () => {
  const misuses: [args: string[], says: RegExp, help: string][] = [
    [['bogus'], /unknown command 'bogus'/, ' --help'],
    [['inspect', '--bogus'], /unknown option '--bogus'/, ' inspect --help'],
    [['installs'], /installs takes one of list, add, pause, resume/, ' installs --help'],
    [['installs', 'bogus'], /installs takes one of list/, ' installs --help'],
    [['installs', 'add'], /required option '--org <id>' not specified/, ' installs add --help'],
    [['redrive', '--state'], /option '--state <state>' argument missing/, ' redrive --help'],
  ]
  for (const [args, says, help] of misuses)
    test(`misused (${args.join(' ')}), a command says in two lines what is wrong and where its help is, with 2`, async () => {
      const { code, out, err } = await run(args)
      const [wrong, todo, ...more] = err.trimEnd().split('\n')
      assert.match(wrong!, says)
      assert.deepEqual([code, out, todo, more], [2, '', `  what to do: npx drift-segment-source${help}`, []])
    })

  test('a secret among them is refused with 2, and not repeated', async () => {
    const secret = 'Pl4ntedQ7wXk0123456789abcdefghij'
    for (const args of [
      ['installs', 'add', '--org', '1', `--write-key=${secret}`],
      ['installs', 'add', '--org', '1', secret],
    ]) {
      const { code, out, err } = await run(args)
      assert.equal(code, 2, err)
      assert.ok(!`${out}${err}`.includes(secret), err)
    }
  })

  test('that name a store which cannot be opened: refused by its name, with 78', async () => {
    const store = await run(['serve'], { DATABASE_URL: `sqlite:${scratch}` })
    assert.deepEqual([store.code, /^store_unreachable: /.test(store.err)], [78, true], store.err)
    // In /proc no folder can be made, and the system says so as if the one above were not there.
    for (const path of ['/dev/null/source.db', '/proc/folder/source.db']) {
      const { code, err } = await run(['serve'], { DATABASE_URL: `sqlite:${path}` })
      assert.deepEqual([code, /^store_unreachable: .*DATABASE_URL/.test(err)], [78, true], err)
    }
  })

  test('a file system over a network is refused for the store; a disk, memory and what containers have are taken', () => {
    for (const network of [0x6969, 0xff534d42, 0xfe534d42, 0x517b]) assert.ok(isOnNetwork(network))
    for (const here of [0xef53, 0x01021994, 0x794c7630, 0x9123683e, 0x58465342]) assert.ok(!isOnNetwork(here))
  })
})

describe('a service that is started without the launcher', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)
    test(`finishes what is under way on ${signal}, and exits 0`, async () => {
      const { child, said, ended } = await serve()
      child.kill(signal)
      assert.deepEqual(await ended, [0, null])
      assert.match(said.err, /stopping: finishing what is under way/)
    })

  test('opens no inspector on SIGUSR1, and goes on after that, SIGUSR2 and SIGPIPE', async () => {
    const { child, said, post } = await serve('pipe', [])
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) child.kill(signal)
    for (let org = 1; org <= 3; org++) assert.equal(await post(org), 200)
    assert.doesNotMatch(said.err, /[Dd]ebugger|ws:/)
  })
})

test('send goes to the HOST and PORT of the settings, and says why the service refuses its token', async () => {
  const { url } = await serve()
  const { port: PORT } = new URL(url)
  for (const more of [{ PORT }, { PORT, HOST: '0.0.0.0', PUBLIC_URL: 'https://source.example.com' }])
    assert.equal((await run(['send', 'new_conversation'], more)).out, '200 {"ok":true}\n')
  const refused = await run(['send', 'new_conversation'], {
    PORT,
    DRIFT_VERIFICATION_TOKENS: 'another-token-0123456789',
  })
  assert.deepEqual([refused.code, refused.out.slice(0, 3)], [1, '401'])
  assert.match(refused.err, /the service does not know this token.* DRIFT_VERIFICATION_TOKENS/)
  const unknown = await run(['send', 'new_conversation'])
  assert.deepEqual([unknown.code, unknown.out], [1, ''])
  assert.match(unknown.err, /takes a free port[\s\S]*by --to/)
})

describe('what the service or a command writes to is gone', () => {
  test('the reader of its log: the service goes on', async () => {
    const { child, post, ended } = await serve()
    child.stdout!.destroy()
    for (let org = 1; org <= 3; org++) assert.equal(await post(org), 200)
    child.kill('SIGTERM')
    assert.equal((await ended)[0], 0)
  })

  test("the room on its log's disk: the service goes on", {
    skip: process.platform === 'linux' ? false : 'only Linux has a device that is always full',
  }, async () => {
    const { child, post, ended } = await serve(openSync('/dev/full', 'w'))
    for (let org = 1; org <= 3; org++) assert.equal(await post(org), 200)
    child.kill('SIGTERM')
    assert.equal((await ended)[0], 0)
  })

  test('the room, for a while: the log says afterwards how many lines it lost', () => {
    const lines: string[] = []
    let isFull = true
    const write = (line: string) => {
      if (isFull) throw new Error('ENOSPC')
      lines.push(line)
    }
    const log = openLog('info', { write })
    for (let n = 0; n < 3; n++) log.info('webhook', { n })
    isFull = false
    log.info('webhook', { n: 3 })
    log.info('webhook', { n: 4 })
    const said = lines.map((line) => JSON.parse(line) as { event: string; lines?: number; n?: number })
    assert.deepEqual(
      said.map(({ event, lines: lost, n }) => [event, lost ?? n]),
      [
        ['webhook', 3],
        ['log_lost', 3],
        ['webhook', 4],
      ],
    )
  })

  test('the reader of a command, as `head` does: no stack is shown', async () => {
    const { child, said } = start(['events', '--format', 'json-schema'])
    child.stdout!.destroy()
    const [code] = await once(child, 'close')
    assert.deepEqual([code, said.err], [0, ''])
  })
})

test('a service that is signalled twice ends at once', async () => {
  const { child, url, ended, said } = await serve()
  const { hostname, port } = new URL(url)
  // A request that is not all there yet would keep it for ten seconds.
  const socket = connect(Number(port), hostname).on('error', () => {})
  const head = [`X-Verification-Token: ${token}`, 'Content-Length: 9', 'Expect: 100-continue']
  socket.write(['POST /webhooks/drift HTTP/1.1', 'Host: x', ...head, '', ''].join('\r\n'))
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 100 /)
  child.kill('SIGTERM')
  await eventually(() => said.err.includes('stopping'))
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [null, 'SIGTERM'])
  socket.destroy()
})

test('the service serves where it may open few files, and says so where it may open too few', {
  skip: process.platform === 'win32' ? 'no such limit there' : false,
}, async () => {
  const limited = (files: number) => {
    const command = `ulimit -n ${files}; exec "$@"`
    const args = ['-c', command, 'sh', process.execPath, ...flags, main, 'serve']
    const child = startChild('sh', args, { env, cwd: scratch })
    children.push(child)
    let err = ''
    child.stderr!.on('data', (text) => (err += text))
    return { child, said: () => err }
  }
  const enough = limited(64)
  await eventually(() => /^listening on /m.test(enough.said()))
  enough.child.kill('SIGTERM')
  assert.equal((await once(enough.child, 'exit'))[0], 0)
  const few = limited(22)
  const [code] = await once(few.child, 'close')
  assert.notEqual(code, 0)
  assert.notEqual(few.said(), '')
})
