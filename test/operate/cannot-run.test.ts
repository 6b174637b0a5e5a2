/** `node src/main.ts` where it cannot run: a sentence, and what to do, instead of a stack trace. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../children.ts'

const folder = mkdtempSync(join(tmpdir(), 'cannot-run-'))
const flags = ['--disable-warning=ExperimentalWarning']
after(() => rmSync(folder, { recursive: true }))

describe('the program where it cannot run', () => {
  const runThere = async (...given: string[]) => {
    const child = startChild(process.execPath, [...given, join(folder, 'src/main.ts')], {
      cwd: folder,
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let err = ''
    child.stderr!.on('data', (text: Buffer) => {
      err += text
    })
    const [code] = await once(child, 'close')
    return { code, err }
  }
  before(() => {
    cpSync(fileURLToPath(new URL('../../src', import.meta.url)), join(folder, 'src'), { recursive: true })
    cpSync(fileURLToPath(new URL('../../package.json', import.meta.url)), join(folder, 'package.json'))
  })

  test('says without packages that they are not there, and what brings them', async () => {
    assert.deepEqual(await runThere(...flags), {
      code: 78,
      err: 'the packages are not installed here\n  what to do: npm start, or npx drift-segment-source --help, which bring what is missing\n',
    })
  })

  test('says under an older Node which one it needs', async () => {
    const older = join(folder, 'older.cjs')
    writeFileSync(older, "Object.defineProperty(process.versions, 'node', { value: '22.18.0' })")
    const { code, err } = await runThere(...flags, '--require', older)
    assert.equal(code, 78)
    assert.match(err, /^this is Node 22\.18\.0, and the service needs Node 24 or newer\n {2}what to do: npm start/)
  })
})
