/**
 * npm run freeze: keeps a small store of the present schema of each engine, which every later version is tested with. Done
 * once, when the first version with that schema is released; `npm run release:version` does it by itself.
 */
import { version } from '../src/segment/call.ts'
import { freeze } from '../test/storage/frozen.ts'

const made = await freeze(version)
process.stdout.write(made.length > 0 ? `${made.join('\n')}\n` : 'the present schemas have their samples already\n')
