/** The script that browsers load is committed: it must be what packages/bridge makes today, and what it promises to be. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { transform } from 'esbuild'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const committed = readFileSync(at('packages/bridge/built/bridge.min.js'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'bridge-build-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** More would no longer be "a few kB". */
const gzipBytesMax = 4_500

/** What is committed as it would be built now, by its name, and what the build prints. */
function built(): { files: Record<string, string>; printed: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [at('build/bridge.ts'), folder], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])
  return { files: Object.fromEntries(files), printed: stdout }
}

test('what is committed is what the modules make today, and the build prints its sizes', () => {
  const { files, printed } = built()
  const names = readdirSync(at('packages/bridge/built')).sort()
  assert.deepEqual(Object.keys(files).sort(), names)
  for (const name of names)
    assert.ok(files[name] === readFileSync(at(`packages/bridge/built/${name}`), 'utf8'), `${name}: run npm run build`)
  const sizes = `${committed.length} bytes, ${gzipSync(committed, { level: 9 }).length} with gzip`
  assert.ok(printed.includes(sizes), printed)
})

test('it is a few kB', () => {
  const { length } = gzipSync(committed, { level: 9 })
  assert.ok(length <= gzipBytesMax, `${length} bytes`)
})

const inPages = ['bridge', 'starter', 'reserve', 'reserve-loads'].map((name) =>
  readFileSync(at(`packages/bridge/built/${name}.min.js`), 'utf8'),
)

test('it is plain ES2018, in ASCII, so that no charset can spoil it, as what stands in a page is', async () => {
  for (const text of inPages) {
    const [asItIs, forOldBrowsers] = await Promise.all(
      ['esnext', 'es2018'].map((target) => transform(text, { target })),
    )
    assert.ok(asItIs!.code === forOldBrowsers!.code, 'something in it is newer')
    assert.match(text, /^[\n -~]+$/)
  }
})

test('it has nothing that a strict page forbids, nothing that tells another window, and one line that tells the console', () => {
  const forbidden = /\beval\b|new Function|innerHTML|outerHTML|document\.write|postMessage|localStorage|cookie/
  for (const text of inPages) assert.equal(forbidden.exec(text)?.[0], undefined)
  assert.equal(committed.match(/console/g)?.length, 1, 'that of debug')
})
