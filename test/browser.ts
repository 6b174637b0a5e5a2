/**
 * A real Chromium for the tests: the one that the development package @sparticuz/chromium ships, pinned by the lockfile,
 * on Linux for x64; elsewhere the system's. Without one a test fails and says what to do: it is never skipped.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Browser,
  type BrowserContext,
  type BrowserServer,
  chromium,
  type LaunchOptions,
  type Page,
} from 'playwright-core'

/** A page in a profile of its own, with a list of all that it should perhaps not have done. */
export interface WatchedPage {
  page: Page
  context: BrowserContext
  /** Requests to anywhere but this machine. They are refused. */
  strays: string[]
  /** Everything that was written to the console, the browser's own remarks included: `error: text`. */
  console: string[]
  /** Exceptions that were not caught. */
  errors: string[]
  close(): Promise<void>
}

const hint =
  'install one (Debian: apt-get install chromium), or name its program in CHROMIUM_PATH; on Linux x64 npm brings its own'

/** Where a whole run keeps the browser that its test files share: set by test/shared.ts. */
export const sharedBrowser = 'TEST_BROWSER_ENDPOINT'

/**
 * The browser of the whole run or, where a file is run by itself, one of its own. Throws with an instruction when there is
 * none, or when it does not start.
 */
export async function launchBrowser(): Promise<Browser> {
  const endpoint = process.env[sharedBrowser]
  return endpoint ? chromium.connect(endpoint) : start((options) => chromium.launch(options))
}

/** A browser that several processes use at once, each with pages of its own. */
export async function launchSharedBrowser(): Promise<BrowserServer> {
  return start((options) => chromium.launchServer({ ...options, host: '127.0.0.1' }))
}

async function start<Started>(launch: (options: LaunchOptions) => Promise<Started>): Promise<Started> {
  const { executablePath, env } = await findChromium()
  return launch({
    executablePath,
    env: { ...(process.env as Record<string, string>), ...env },
    // A test may run as root, where Chromium's sandbox does not start; and it needs neither a screen nor the network.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  }).catch((cause: unknown) => {
    throw new Error(`the browser ${executablePath} does not start; ${hint}`, { cause })
  })
}

export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options)
  const watched = { context, strays: [] as string[], console: [] as string[], errors: [] as string[] }
  await context.route(
    ({ hostname, protocol }) => protocol.startsWith('http') && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname),
    (route) => {
      watched.strays.push(route.request().url())
      return route.abort()
    },
  )
  const page = await context.newPage()
  page.on('console', (message) => watched.console.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => watched.errors.push(String(error)))
  return {
    page,
    ...watched,
    async close() {
      // A request whose handler runs now would fail after the test, unhandled.
      await context.unrouteAll({ behavior: 'ignoreErrors' })
      await context.close()
    },
  }
}

interface Found {
  executablePath: string
  env: Record<string, string>
}

const systemPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Throws with an instruction when there is none. */
export async function findChromium(): Promise<Found> {
  const named = process.env.CHROMIUM_PATH
  if (named) return { executablePath: named, env: {} }
  if (platform() === 'linux' && arch() === 'x64') return pinned()
  const executablePath = systemPaths.find((path) => existsSync(path))
  if (executablePath === undefined) throw new Error(`the tests need Chromium, and there is none: ${hint}`)
  return { executablePath, env: {} }
}

/**
 * The package's own unpacking writes to the system's folder for temporary files, under a name that every process and
 * every user shares. Ours goes beside the packages, whole or not at all, so that tests may start at once.
 */
async function pinned(): Promise<Found> {
  const packed = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..')
  const { version } = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8')) as { version: string }
  const cache = join(packed, '../../.cache')
  const folder = join(cache, `chromium-${version}`)
  if (!existsSync(folder)) {
    const fresh = await newFolder(cache, folder)
    await unpack(join(packed, 'bin'), fresh)
    await writeFile(join(fresh, 'fonts.conf'), fontconfig(folder))
    // When another process was quicker, its folder is as good.
    await rename(fresh, folder).catch(() => rm(fresh, { recursive: true }))
  }
  const fonts: Record<string, string> = existsSync('/etc/fonts/fonts.conf')
    ? {}
    : { FONTCONFIG_FILE: join(folder, 'fonts.conf') }
  return { executablePath: join(folder, 'chromium'), env: { LD_LIBRARY_PATH: join(folder, 'al2023/lib'), ...fonts } }
}

async function newFolder(cache: string, folder: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true })
    return await mkdtemp(`${folder}-`)
  } catch (error) {
    const why = `${cache}, where it is unpacked, cannot be written (${(error as NodeJS.ErrnoException).code})`
    throw new Error(`the tests need Chromium, and ${why}: make a clone of your own, or ${hint}`)
  }
}

async function unpack(from: string, to: string): Promise<void> {
  const { inflate } = await import('@sparticuz/chromium')
  const { TMPDIR } = process.env
  process.env.TMPDIR = to
  // Each reads the folder's name at once, before anything else can run.
  const unpacking = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br'].map((file) => inflate(join(from, file)))
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
  await Promise.all(unpacking)
}

function fontconfig(folder: string): string {
  return `<?xml version="1.0"?><fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>`
}
