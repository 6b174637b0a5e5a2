/**
 * node build/bridge.ts [folder]: makes what the service serves of packages/bridge and needs to know of it, and prints the
 * sizes. The result, packages/bridge/built, is committed, so that a clone runs without a build; a test holds it to what this
 * makes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, transform } from 'esbuild'
import { consentManagers } from '../packages/bridge/src/consent/index.ts'
import { widgetEvents } from '../packages/bridge/src/events.ts'

const folder = process.argv[2] ?? fileURLToPath(new URL('../packages/bridge/built', import.meta.url))
const sources = fileURLToPath(new URL('../packages/bridge/src/', import.meta.url))

await make('bridge.min.js', `import { openBridge } from './bridge.ts'\nopenBridge(undefined, window)`)
for (const [name, follow] of Object.entries(consentManagers))
  await make(
    `consent-${name}.min.js`,
    `import { ${follow} } from './consent/${name}.ts'
    const tag = document.currentScript
    ${follow}(tag ? { ...tag.dataset } : {})`,
  )
await minify('starter.min.js', 'starter.js')
await minify('reserve.min.js', 'reserve.js', { LOADS: 'false' })
await minify('reserve-loads.min.js', 'reserve.js', { LOADS: 'true' })
write(
  'about.json',
  `${JSON.stringify({ events: widgetEvents.map(({ name }) => name), consent: Object.keys(consentManagers) }, null, 2)}\n`,
)

async function make(name: string, contents: string): Promise<void> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: sources },
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    // What the browsers of 2018 understand: they are all that Segment's and Drift's own scripts still run in.
    target: 'es2018',
    charset: 'ascii',
    banner: { js: '/*! drift-segment-source, MIT */' },
    // Names that nothing outside of the file knows.
    mangleProps:
      /^(sources|choice|look|told|adopt|want|isListening|handOver|written|widget|moment|send|choose|counts|most|by|contact|property|field|isBeside|target|hold|options|events|starter)$/,
  })
  write(name, outputFiles[0]!.text)
}

/** What stands in a page itself: its names are read by the file, and stay. */
async function minify(name: string, source: string, define: Record<string, string> = {}): Promise<void> {
  const text = readFileSync(join(sources, source), 'utf8')
  write(name, (await transform(text, { minify: true, target: 'es2018', charset: 'ascii', define })).code.trim())
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
  const gzipped = gzipSync(text, { level: 9 }).length
  process.stdout.write(`${name}: ${Buffer.byteLength(text)} bytes, ${gzipped} with gzip\n`)
}
