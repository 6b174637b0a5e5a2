#!/usr/bin/env node
// The command line, from a fresh clone and under any Node that runs npm: sets itself up, then is src/main.ts.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { launch, root } from '../runtime/launch.mjs'

// Installed from npm it is compiled: Node runs no TypeScript under node_modules.
const main = ['src/main.ts', 'dist/main.js'].map((path) => join(root, path)).find((path) => existsSync(path))
await launch([main, ...process.argv.slice(2)])
