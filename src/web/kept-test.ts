/**
 * What came of the last test event of this browser, for the page that shows it: that page can be loaded again, and no test event
 * is sent by that. It stands in a cookie, sealed for its account.
 */
import type { Context } from 'hono'
import type { Keyring } from '../accounts/keyring.ts'
import { readText } from '../lib/json.ts'
import type { Destination, Org } from '../storage/ports/entry.ts'
import type { Tested } from './console/key-test.ts'
import type { Site } from './http/headers.ts'
import { cookieOf } from './session-cookie.ts'

export interface KeptTest {
  /** False where it is longer than a cookie can be. */
  keep(c: Context, org: Org, destination: Destination, tested: Tested): Promise<boolean>
  /** For ten minutes; undefined where the last one was sent to another destination, or of another account. */
  read(c: Context, org: Org, destination: Destination): Promise<Tested | undefined>
}

const seconds = 600
/** Browsers keep no more than 4 kB in a cookie, its name and attributes included. */
const lengthMax = 3_600

export function openKeptTest({ keyring, site }: { keyring: Keyring; site: Site }): KeptTest {
  const cookie = cookieOf(site, 'tested')
  return {
    async keep(c, org, destination, tested) {
      const sealed = await keyring.seal(org, placeOf(org, destination), JSON.stringify(tested))
      const text = sealed.toString('base64url')
      if (text.length > lengthMax) return false
      cookie.write(c, text, seconds)
      return true
    },
    async read(c, org, destination) {
      const sealed = cookie.read(c)
      if (!sealed) return undefined
      const opened = keyring.open(placeOf(org, destination), Buffer.from(sealed, 'base64url'))
      const read = readText(await opened.then(String, () => ''))
      return read.ok ? (read.value as unknown as Tested) : undefined
    },
  }
}

function placeOf(org: Org, destination: Destination): string {
  return `kept test ${org} ${destination}`
}
