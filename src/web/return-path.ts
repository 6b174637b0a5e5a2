/**
 * Where a browser was when its session ended or had to be proved again: its next sign-in, of whatever kind, leads back
 * there, and to the form that was not taken. Both stand in cookies of this browser: the path signed, so that only this
 * service can say where a sign-in leads; the form sealed for its account, since it may hold what only its admins may read.
 * A third cookie names the account of the last session, so that a form that comes when it has ended is kept for that account.
 */
import type { Context } from 'hono'
import type { Keyring } from '../accounts/keyring.ts'
import { readText } from '../lib/json.ts'
import { isSame } from '../lib/secret.ts'
import type { Org } from '../storage/ports/entry.ts'
import { csrfField } from './http/form.ts'
import type { Site } from './http/headers.ts'
import { cookieOf } from './session-cookie.ts'

/** A form as it was sent. */
export interface KeptForm {
  path: string
  fields: [name: string, value: string][]
  /** The page that it stood on. */
  from: string
}

export interface ReturnPath {
  /** Remembers where this request was going: its own address or, of a form, the page that it stood on. */
  keep(c: Context): void
  /** Remembers this form, and leads to it after the next sign-in. A form with a secret in it is not remembered: false. */
  keepForm(c: Context, org: Org, fields: URLSearchParams): Promise<boolean>
  /** This browser has a session: its forms are known as its own when it has ended. */
  begun(c: Context, session: { org: Org; csrf: string }): void
  /**
   * The same of a form that came after its session had ended, if that was this browser's last one; else, or where it is not
   * remembered, the next sign-in leads to a page that says so.
   */
  keepEnded(c: Context, fields: URLSearchParams): Promise<boolean>
  /** Where this browser was, once; the start of the console where that is not known. */
  take(c: Context): string
  /** The form that was kept for this account; it stays until it runs out. */
  form(c: Context, org: Org): Promise<KeptForm | undefined>
}

/** As long as a sign-in may take. */
const seconds = 600
const pathLengthMax = 2_000
/** Browsers keep no more than 4 kB in a cookie, its name and attributes included. */
const formLengthMax = 3_600
const start = '/console'
export const continuePath = '/console/continue'

export function openReturnPath({ keyring, site }: { keyring: Keyring; site: Site }): ReturnPath {
  const [back, form, last] = [cookieOf(site, 'back'), cookieOf(site, 'form'), cookieOf(site, 'last')]
  /** Of the last session: that a form has its token is known without the session. */
  const proofOf = (org: Org, csrf: string) => keyring.identity(`last session\n${org}\n${csrf}`).toString('base64url')
  const markOf = (path: string) => keyring.identity(`return path\n${path}`).toString('base64url')
  const write = (c: Context, path: string) =>
    back.write(c, `${Buffer.from(path).toString('base64url')}.${markOf(path)}`, seconds)

  async function keep(c: Context, org: Org, all: URLSearchParams, sealedFor: Org): Promise<boolean> {
    const { pathname: path } = new URL(c.req.url)
    const fields = [...all].filter(([name]) => name !== csrfField)
    const from = pageOf(c, site) ?? start
    const text = JSON.stringify({ path, fields, from } satisfies KeptForm)
    if (fields.some(isSecret) || text.length > formLengthMax / 2) return false
    const sealed = (await keyring.seal(sealedFor, placeOf(org), text)).toString('base64url')
    if (sealed.length > formLengthMax) return false
    form.write(c, sealed, seconds)
    write(c, continuePath)
    return true
  }

  return {
    keep(c) {
      const path = pageOf(c, site)
      if (path !== undefined && path !== start) write(c, path)
    },
    keepForm: (c, org, fields) => keep(c, org, fields, org),
    begun: (c, { org, csrf }) => last.write(c, `${org}.${proofOf(org, csrf)}`),
    async keepEnded(c, fields) {
      const [, org, proof] = /^(\d{1,20})\.([\w-]{22})$/.exec(last.read(c) ?? '') ?? []
      const isOwn = org !== undefined && isSame(proof!, proofOf(org, fields.get(csrfField) ?? ''))
      // Not under its own key: the account may have left since, and must not get a new one.
      if (isOwn && (await keep(c, org, fields, ''))) return true
      form.remove(c)
      write(c, lostAt(pageOf(c, site) ?? start))
      return false
    },
    take(c) {
      const [, encoded, mark] = /^([\w-]{1,3000})\.([\w-]{22})$/.exec(back.read(c) ?? '') ?? []
      if (!encoded || !mark) return start
      back.remove(c)
      const path = Buffer.from(encoded, 'base64url').toString()
      return isSame(mark, markOf(path)) && isOurs(path) ? path : start
    },
    async form(c, org) {
      const sealed = form.read(c)
      if (!sealed) return undefined
      const opened = keyring.open(placeOf(org), Buffer.from(sealed, 'base64url'))
      return opened.then(
        (text) => {
          const read = readText(String(text))
          return read.ok ? (read.value as unknown as KeptForm) : undefined
        },
        () => undefined,
      )
    },
  }
}

/** The page that says that a form was not kept, with the way back to where it stood. */
function lostAt(from: string): string {
  return `${continuePath}?${new URLSearchParams({ from })}`
}

/** A write key, or the address that alerts go to. */
function isSecret([name, value]: KeptForm['fields'][number]): boolean {
  return (name === 'writeKey' || name === 'address') && value !== ''
}

function placeOf(org: Org): string {
  return `kept form ${org}`
}

/** The address of the page that is asked for or, of a form, that it stood on, as far as the browser says so. */
function pageOf(c: Context, { publicUrl }: Site): string | undefined {
  if (c.req.method === 'GET') {
    const { pathname, search } = new URL(c.req.url)
    return isOurs(pathname + search) ? pathname + search : undefined
  }
  const from = URL.parse(c.req.header('referer') ?? '')
  if (!from || from.origin !== new URL(publicUrl()).origin) return undefined
  return isOurs(from.pathname + from.search) ? from.pathname + from.search : undefined
}

/** A page that needs a session, and nothing that leads away from here. */
export function isOurs(path: string): boolean {
  return (
    path.length <= pathLengthMax &&
    /^\/(console(?!\/(sign-in|live)\b)|connect\/write-key)(?=$|[/?])[\x21-\x7e]*$/.test(path) &&
    !path.includes('\\')
  )
}
