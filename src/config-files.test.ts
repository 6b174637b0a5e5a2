/** Settings that stand in files: `.env`, and one file for a secret. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { neededSettings, problemOf } from '../test/settings.ts'
import { type Env, environment, readConfig } from './config.ts'
import type { Problem } from './lib/errors.ts'

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-test-'))
  after(() => rmSync(folder, { recursive: true }))
  const file = (text: string | Buffer) => {
    const path = join(folder, `secret-${Math.random()}`)
    writeFileSync(path, text)
    return path
  }
  const pipe = () => {
    const path = join(folder, `pipe-${Math.random()}`)
    execFileSync('mkfifo', [path])
    return path
  }
  const { DRIFT_CLIENT_SECRET, ...rest } = neededSettings
  const fileAt = (path: string): Env => ({ ...rest, DRIFT_CLIENT_SECRET_FILE: path })

  test('is read, without the line breaks at its end', () => {
    for (const ending of ['', '\n', '\r\n', '\n\n']) {
      const config = readConfig({ ...rest, DRIFT_CLIENT_SECRET_FILE: file(`${DRIFT_CLIENT_SECRET}${ending}`) })
      assert.equal(config.oauth?.clientSecret, DRIFT_CLIENT_SECRET)
    }
  })

  test('may be any of the secrets', () => {
    const names = [
      'DATABASE_URL',
      'ENCRYPTION_KEYS',
      'DRIFT_VERIFICATION_TOKENS',
      'DRIFT_CLIENT_SECRET',
      'SEGMENT_WRITE_KEY',
      'DRIFT_ACCESS_TOKEN',
    ]
    const single = {
      DRIFT_ORG_ID: '1',
      SEGMENT_WRITE_KEY: 'Pl4ntedQ7wXk0123456789abcdefghij',
      DRIFT_ACCESS_TOKEN: 'aT6k',
    }
    const env: Env = { ...neededSettings, ...single, DATABASE_URL: 'sqlite:x.db' }
    const files = Object.fromEntries(names.map((name) => [`${name}_FILE`, file(env[name]!)]))
    const { DRIFT_CLIENT_ID, DRIFT_ORG_ID } = env
    const { notes, ...read } = readConfig({ ...files, DRIFT_CLIENT_ID, DRIFT_ORG_ID })
    assert.deepEqual(read.single, readConfig(env).single)
    assert.deepEqual([read.databaseUrl, read.oauth, notes], ['sqlite:x.db', readConfig(env).oauth, []])
  })

  const wrong: [what: string, env: () => Env, line: RegExp][] = [
    [
      'is given twice',
      () => ({ ...neededSettings, DRIFT_CLIENT_SECRET_FILE: file('x') }),
      /^ {2}DRIFT_CLIENT_SECRET: is given twice, also as DRIFT_CLIENT_SECRET_FILE/m,
    ],
    [
      'is not there',
      () => fileAt(join(folder, 'none')),
      /_FILE: names a file that cannot be read \(ENOENT\): the file does not exist;/,
    ],
    ['is a folder', () => fileAt(folder), /_FILE: names something that is not a file/],
    ['is a device without end', () => fileAt('/dev/zero'), /_FILE: names something that is not a file/],
    ['is a pipe without a writer', () => fileAt(pipe()), /_FILE: names something that is not a file/],
    ['is in UTF-16', () => fileAt(file(Buffer.from('\ufeffcS7mB3yHp6', 'utf16le'))), /_FILE: .* not UTF-8 but UTF-16/],
    ['is empty', () => fileAt(file('\n')), /_FILE: names an empty file/],
    ['is far too large', () => fileAt(file('x'.repeat(100_000))), /_FILE: names a file of more than 64 KiB/],
    ['is named in quotes', () => fileAt(`"${file('cS7mB3yHp6')}"`), /_FILE: stands in quotes/],
    ['holds quotes', () => fileAt(file('"cS7mB3yHp6"\n')), /^ {2}DRIFT_CLIENT_SECRET: stands in quotes/m],
    ['begins with a byte order mark', () => fileAt(file('\ufeffcS7mB3yHp6')), /SECRET: holds a byte order mark/],
    ['is of two lines', () => fileAt(file('cS7mB3\nyHp6\n')), /SECRET: holds a line break/],
  ]
  for (const [what, env, line] of wrong)
    test(`${what}: it is named, and nothing else is wrong`, () => {
      const { message, exitCode } = problemOf(env())
      assert.match(message, line)
      assert.match(message, /^ {2}DRIFT_CLIENT_SECRET/m)
      assert.equal(message.split('\n').length, 2)
      assert.equal(exitCode, 78)
      assert.ok(!message.includes(folder) && !message.includes('cS7mB3'), 'neither the path nor what it holds is shown')
    })

  test('can be unreadable for this user: it is named', {
    skip: process.getuid?.() === 0 && 'root reads every file',
  }, () => {
    const path = file('cS7mB3yHp6')
    chmodSync(path, 0)
    assert.match(problemOf(fileAt(path)).message, /_FILE: names a file that cannot be read \(EACCES\): let the user/)
  })

  test('is not for settings that are not secret', () => {
    const config = readConfig({
      ...neededSettings,
      PORT_FILE: file('1234'),
      HTTPS_PROXY_FILE: file('http://proxy.example'),
    })
    assert.deepEqual([config.port, config.proxies.https], [8080, undefined])
  })
})

describe('the file .env', () => {
  const written = (bytes: string | Buffer | undefined): Env => {
    const folder = mkdtempSync(join(tmpdir(), 'config-test-'))
    try {
      if (bytes === undefined) mkdirSync(join(folder, '.env'))
      else writeFileSync(join(folder, '.env'), bytes)
      return environment(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  const rows: [row: string, bytes: string, value: string | undefined][] = [
    ['a byte order mark', '\ufeffDRIFT_TEST_A=1', '1'],
    ['lines that end as on Windows', 'X=0\r\nDRIFT_TEST_A=1\r\nY=2\r\n', '1'],
    ['tabs and spaces', '\tDRIFT_TEST_A =\t1 ', '1'],
    ['a name twice, of which the last counts', 'DRIFT_TEST_A=0\nDRIFT_TEST_A=1', '1'],
    ['comments and lines that are not settings', '# DRIFT_TEST_A=0\n???\nDRIFT_TEST_A=1', '1'],
    ['ten megabytes', `X=${'x'.repeat(10_000_000)}\nDRIFT_TEST_A=1`, '1'],
    ['a value in quotes', "DRIFT_TEST_A='1'", '1'],
  ]
  for (const [row, bytes, value] of rows)
    test(`a file .env with ${row} is read`, () => assert.equal(written(bytes).DRIFT_TEST_A, value))

  const over: [given: string, inFile: string][] = [
    ['OPERATOR_ALERT_URL', 'OPERATOR_ALERT_URL_FILE'],
    ['OPERATOR_ALERT_URL_FILE', 'OPERATOR_ALERT_URL'],
    ['https_proxy', 'HTTPS_PROXY'],
  ]
  for (const [given, inFile] of over)
    test(`${given} of the environment wins over ${inFile} of the file`, (t) => {
      const before = process.env
      t.after(() => {
        process.env = before
      })
      process.env = { [given]: 'new' }
      assert.deepEqual(written(`${inFile}=old\nPORT=1`), { [given]: 'new', PORT: '1' })
    })

  test('a folder called .env is refused with 78, as a folder, and with what to do', () => {
    assert.throws(
      () => written(undefined),
      ({ exitCode, message, hint }: Problem) =>
        exitCode === 78 && /\.env .*EISDIR/.test(message) && /is a folder, as Docker makes one/.test(hint!),
    )
  })

  test('a .env in UTF-16, as Windows PowerShell writes it, is refused with 78, and told from one that lacks settings', () => {
    const little = Buffer.from('\ufeffDRIFT_TEST_A=1\r\n', 'utf16le')
    for (const bytes of [little, Buffer.from(little).swap16()])
      assert.throws(
        () => written(bytes),
        ({ exitCode, message, hint }: Problem) =>
          exitCode === 78 && /\.env is not UTF-8 but UTF-16/.test(message) && /save it as UTF-8/.test(hint!),
      )
  })
})
