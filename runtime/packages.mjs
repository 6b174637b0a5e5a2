import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runChild } from './child.mjs'

const heartbeatMs = 1_000
const abandonedMs = 10_000

/** The set-up could not be done: the message says why, `hint` what to do. Or it was interrupted by a `signal`, else null. */
export class SetupFailure extends Error {
  constructor(message, { hint, signal = null }) {
    super(message)
    this.hint = hint
    this.signal = signal
  }
}

/**
 * Makes sure that node_modules of `folder` has what its package-lock.json lists (with `dev`, development packages too),
 * installing with npm under `node` only when something is missing. Packages beyond those do not start an install.
 * Safe to call from many processes at once. `what` names the packages for the person who waits. Throws SetupFailure.
 *
 * npm works in `workspace`, a folder on the same disk, and the result is moved into place whole: an interrupted install
 * leaves nothing half done, and a service running from this folder misses its packages only between two renames.
 */
export async function ensurePackages(folder, { dev = false, node = process.execPath, what, workspace = ownWorkspace }) {
  const complete = (installedIn) => missing(wanted(folder), installed(installedIn), { dev }).length === 0
  if (complete(folder)) return
  await alone(workspace, what, async () => {
    if (complete(folder)) return // by the one we waited for
    process.stderr.write(`Installing ${what} …\n`)
    const output = await npmCi(folder, { dev, node, workspace, what })
    // npm passes over an optional package that it cannot download, and calls that success.
    if (!complete(workspace)) throw npmFailure(what, folder, output)
    const modules = join(folder, 'node_modules')
    if (existsSync(modules)) renameSync(modules, join(workspace, 'replaced'))
    renameSync(join(workspace, 'node_modules'), modules)
  })
}

/**
 * The entries of a package-lock.json that ought to be installed on `host` and are not, or not as pinned: their paths.
 * `installed` is the lockfile that npm leaves in node_modules. Of the optional packages only those made for this platform
 * count: npm leaves out the others, and what only the others need.
 */
export function missing(lock, installed, { dev = false, host = thisHost }) {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && (dev || !entry.dev) && !(entry.optional && !isFor(entry, host)))
    .filter(([path, entry]) => {
      const found = installed.packages[path]
      return found?.version !== entry.version || found?.integrity !== entry.integrity
    })
    .map(([path]) => path)
}

/** How to run npm under `node`: the npm that runs us, else the one that came with our Node, else the PATH's. */
export function npmCommand(node, { env = process.env, execPath = process.execPath, platform = process.platform } = {}) {
  const prefix = join(dirname(execPath), platform === 'win32' ? '.' : '../lib')
  const beside = join(prefix, 'node_modules/npm/bin/npm-cli.js')
  // Other package managers set npm_execpath too, to themselves: hence the name.
  const cli = [env.npm_execpath, beside].find((path) => path?.endsWith('npm-cli.js') && existsSync(path))
  return cli === undefined ? { command: 'npm', args: [] } : { command: node, args: [cli] }
}

const ownWorkspace = fileURLToPath(new URL('.installing', import.meta.url))

const thisHost = {
  os: process.platform,
  cpu: process.arch,
  get libc() {
    if (process.platform !== 'linux') return undefined
    return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
  },
}

/** Whether a package names the platforms that it is for, and `host` is one of them. */
function isFor(entry, host) {
  const named = ['os', 'cpu', 'libc'].filter((key) => entry[key] !== undefined)
  const fits = (key) => {
    const list = [entry[key]].flat()
    return list.every((name) => name.startsWith('!')) ? !list.includes(`!${host[key]}`) : list.includes(host[key])
  }
  return named.length > 0 && named.every(fits)
}

const wanted = (folder) => JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))

function installed(folder) {
  const path = join(folder, 'node_modules/.package-lock.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { packages: {} }
}

/** Runs `work` while no other process does: the workspace is the lock, and its owner touches it as long as it lives. */
async function alone(workspace, what, work) {
  for (let waiting = false; !claim(workspace, what); waiting = true) {
    if (!waiting) process.stderr.write('Waiting for another set-up to end …\n')
    await sleep(100)
  }
  const heartbeat = setInterval(() => utimesSync(workspace, new Date(), new Date()), heartbeatMs)
  try {
    await work()
  } finally {
    clearInterval(heartbeat)
    rmSync(workspace, { recursive: true, force: true })
  }
}

function claim(workspace, what) {
  removeAbandoned(workspace)
  try {
    mkdirSync(workspace)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    const folder = dirname(workspace)
    throw new SetupFailure(`To install ${what}, ${folder} must be writable, and it is not (${error.code}).`, {
      hint: 'Run the command once as the owner of that folder, or make a clone of your own.',
    })
  }
}

/** Removes a workspace whose owner was killed. Renaming is atomic: of several that find it so, one takes it away. */
function removeAbandoned(workspace) {
  const touched = statSync(workspace, { throwIfNoEntry: false })?.mtimeMs
  if (touched === undefined || Date.now() - touched < abandonedMs) return
  const abandoned = `${workspace}.${process.pid}`
  try {
    renameSync(workspace, abandoned)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  rmSync(abandoned, { recursive: true, force: true })
}

async function npmCi(folder, { dev, node, workspace, what }) {
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
    if (existsSync(join(folder, file))) copyFileSync(join(folder, file), join(workspace, file))
  }
  const { command, args } = npmCommand(node)
  // Said outright, because NODE_ENV=production and the person's own npm settings change what npm leaves out.
  const kinds = [dev ? '--include=dev' : '--omit=dev', '--include=optional']
  const result = await runChild(command, [...args, 'ci', '--ignore-scripts', ...kinds, ...cacheFlags(workspace)], {
    cwd: workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && command === 'npm', // there it is a .cmd file
  }).catch((error) => ({ code: 1, received: null, output: `${error.message}\n` }))
  // npm ends with an exit code of its own when it is interrupted.
  if (result.received !== null) throw new SetupFailure('Interrupted.', { hint: '', signal: result.received })
  if (result.code !== 0) throw npmFailure(what, folder, result.output)
  return result.output
}

/**
 * Where npm cannot write its cache, it fails, or passes over an optional package as if there were none. It then gets one
 * in the workspace: for a user without a home, or whose cache another user has written to.
 */
function cacheFlags(workspace) {
  const cache = process.env.npm_config_cache || (process.platform === 'win32' ? undefined : join(homedir(), '.npm'))
  if (cache === undefined) return []
  try {
    mkdirSync(cache, { recursive: true })
    for (const folder of [cache, join(cache, '_cacache'), join(cache, '_cacache/tmp')])
      if (existsSync(folder)) accessSync(folder, constants.W_OK)
    return []
  } catch {
    return ['--cache', join(workspace, 'cache')]
  }
}

function npmFailure(what, folder, output) {
  return new SetupFailure(`${output}npm could not install ${what}.`, {
    hint: `Is the npm registry reachable from here? To try this step alone: npm ci --prefix ${folder}`,
  })
}
