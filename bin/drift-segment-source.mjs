#!/usr/bin/env node
// The command line, from a fresh clone and under any Node that runs npm: sets itself up, then is src/main.ts.
import { join } from 'node:path'
import { launch, root } from '../runtime/launch.mjs'

await launch([join(root, 'src/main.ts'), ...process.argv.slice(2)])
