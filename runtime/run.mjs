// node runtime/run.mjs [--dev] <script> [argument …]: sets the project up, then runs the script under Node 24.
// Plain JavaScript without dependencies, like all of this folder: an older Node runs it before anything is installed.
import { launch } from './launch.mjs'

const args = process.argv.slice(2)
const dev = args[0] === '--dev'
await launch(dev ? args.slice(1) : args, { dev })
