/**
 * node build/bridge.ts <entry> <output>: makes the one script that browsers load from the modules of src/bridge, and prints
 * its size. The result is committed, so that a clone runs without a build; a test holds it to what this makes.
 */
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const [, , entry, output] = process.argv
if (!entry || !output) throw new Error('usage: node build/bridge.ts <entry> <output>')
const { outputFiles } = await build({
  entryPoints: [entry],
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  // What the browsers of 2018 understand: they are all that Segment's and Drift's own scripts still run in.
  target: 'es2018',
  charset: 'ascii',
  banner: { js: '/*! drift-segment-source: the browser bridge. MIT */' },
})
const code = outputFiles[0]!.text
writeFileSync(output, code)
const gzipped = gzipSync(code, { level: 9 }).length
process.stdout.write(`${output}: ${Buffer.byteLength(code)} bytes minified, ${gzipped} with gzip\n`)
