/** The script that browsers load is committed: it must be what src/bridge makes today, and what it promises to be. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { transform } from 'esbuild'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const committed = readFileSync(at('src/bridge/bridge.min.js'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'bridge-build-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** More would no longer be "a few kB". */
const gzipBytesMax = 4_096

/** The script as it would be built now, and what the build prints. */
function built(): { code: string; printed: string } {
  const output = join(folder, 'bridge.min.js')
  const args = [at('build/bridge.ts'), at('src/bridge/script.ts'), output]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return { code: readFileSync(output, 'utf8'), printed: stdout }
}

test('the committed script is what the modules make today, and the build prints its size', () => {
  const { code, printed } = built()
  assert.ok(committed === code, 'run: npm run build')
  const sizes = `${code.length} bytes minified, ${gzipSync(code, { level: 9 }).length} with gzip`
  assert.ok(printed.includes(sizes), printed)
})

test('it is a few kB', () => {
  const { length } = gzipSync(committed, { level: 9 })
  assert.ok(length <= gzipBytesMax, `${length} bytes`)
})

test('it is plain ES2018, in ASCII, so that no charset can spoil it', async () => {
  const [asItIs, forOldBrowsers] = await Promise.all(
    ['esnext', 'es2018'].map((target) => transform(committed, { target })),
  )
  assert.ok(asItIs!.code === forOldBrowsers!.code, 'something in it is newer')
  assert.match(committed, /^[\n -~]+$/)
})

test('it has nothing that a strict page forbids, and nothing that tells the console or another window', () => {
  const forbidden = /\beval\b|new Function|innerHTML|outerHTML|document\.write|console|postMessage|localStorage|cookie/
  assert.equal(forbidden.exec(committed)?.[0], undefined)
})
