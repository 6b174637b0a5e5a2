/** node build/release-bridge.ts: keeps the bridge of the version that is released, so that pages that name its bytes go on. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('../packages/bridge/', import.meta.url)))
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
mkdirSync('released', { recursive: true })
copyFileSync('built/bridge.min.js', `released/${version}.min.js`)
process.stdout.write(`packages/bridge/released/${version}.min.js\n`)
