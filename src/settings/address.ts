/** Settings that are addresses. A partner's or our own is taken as URL writes it, without a slash at its end. */
import { isLoopback } from '../lib/loopback.ts'
import { placeholderProblem } from '../lib/placeholder.ts'
import { withoutEnd } from '../lib/without-end.ts'
import { regionIn } from '../segment/region.ts'
import { list, type Parse } from './parse.ts'

/** https, or http on loopback; without credentials, query and fragment. */
export const address = addressUnless(() => undefined)

/** Everything that browsers and Drift are given is made from it, so it is the service's own address and nothing behind. */
export const addressWithoutPath: Parse<string> = (text) => {
  const judged = addressUnless(({ pathname }) =>
    pathname === '/' ? undefined : 'must have no path: the service answers at the root of its address',
  )(text)
  // As the documents have it, and as rehearsals do: browsers find nothing there.
  const isOfDocuments = 'value' in judged && /(^|\.)example\.(com|net|org)$/.test(new URL(judged.value).hostname)
  return isOfDocuments
    ? { ...judged, unusual: 'it is an example of the documents, where browsers find nothing' }
    : judged
}

export const segmentAddress = addressUnless(hasVersion)

/** What stands before an http address that is not on loopback. It makes the operator write down that keys and events go in the clear. */
const spelledOut = 'insecure+'

/** Comma separated, `name=address`: endpoints that speak Segment's HTTP API, by the names that admins choose them by. */
export const endpoints: Parse<ReadonlyMap<string, string>> = (text) => {
  const parsed = list(endpoint)(text)
  if ('problem' in parsed) return parsed
  const byName = new Map(parsed.value)
  const names = new Set(parsed.value.map(([name]) => name.toLowerCase()))
  return names.size < parsed.value.length ? { problem: 'two have the same name' } : { value: byName }
}

const endpoint: Parse<readonly [name: string, address: string]> = (text) => {
  const [, name = '', address = ''] = /^([^=]*)=(.*)$/.exec(text) ?? []
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,39}$/.test(name))
    return { problem: 'each must look like name=https://example.com, its name with letters, digits, _ . and -' }
  if (regionIn(name)) return { problem: 'one has the name of a region of Segment' }
  const isSpelledOut = address.startsWith(spelledOut)
  const bare = isSpelledOut ? address.slice(spelledOut.length) : address
  const judged = addressUnless(hasVersion, isSpelledOut ? ['http:'] : [])(bare)
  if (!('problem' in judged)) return { value: [name, judged.value] as const }
  const isPlain = !isSpelledOut && /^http:/i.test(address)
  return { problem: `${name} ${judged.problem}${isPlain ? ', or be written as insecure+http://…' : ''}` }
}

/** A proxy's, with or without credentials; http or https. */
export const proxyAddress: Parse<string> = (text) => {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url?.pathname !== '/' || /[?#\s]/.test(text))
    return { problem: 'must be a proxy such as http://proxy.example:3128, with http:// or https://' }
  if (!isDecodable(url.username) || !isDecodable(url.password))
    return { problem: 'has a % in its user name or password that must be written as %25' }
  const problem = isTemplate(url) ? 'is still a placeholder' : hostProblem(url)
  return problem ? { problem } : { value: text }
}

/** Where a webhook goes: https, or http on loopback; what makes it secret may stand in its path or query. */
export const webhookAddress: Parse<string> = (text) => {
  const url = /^https?:\/\/[^\\\s]+$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (!url) return { problem: 'must be an address such as https://example.com/alerts' }
  if (url.username || url.password) return { problem: 'must not hold a user name or password' }
  if (url.hash) return { problem: 'must have no fragment' }
  if (url.protocol !== 'https:' && !isLoopback(url.hostname)) return { problem: 'must be https (or http on loopback)' }
  const problem = hostProblem(url)
  return problem ? { problem } : { value: url.href }
}

/** smtp: (which changes to TLS before it says anything) or smtps:, with or without user name and password. */
export const mailServerAddress: Parse<string> = (text) => {
  const url = /^smtps?:\/\/[^\\\s]+$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (!url?.hostname || !['', '/'].includes(url.pathname) || /[?#]/.test(text))
    return { problem: 'must look like smtps://USER:PASSWORD@HOST or smtp://USER:PASSWORD@HOST:587' }
  if (isTemplate(url)) return { problem: 'is still a placeholder' }
  if (!isDecodable(url.username) || !isDecodable(url.password))
    return { problem: 'has a % in its user name or password that must be written as %25' }
  return { value: text }
}

export const databaseAddress: Parse<string> = (text) => {
  // SQLite would keep the first of these in memory, and take the second apart.
  if (/^sqlite:(:|file:)/.test(text)) return { problem: 'must name a file by its path: sqlite:PATH' }
  // The host of an address to some, and a path from the root of the file system to others.
  if (/^sqlite:\/\//.test(text))
    return {
      problem: 'must have no // in front of its path: sqlite:x.db is in the working folder, sqlite:/srv/x.db is not',
    }
  const isPostgres = /^postgres(ql)?:\/\//.test(text)
  if (isPostgres && URL.canParse(text) && isTemplate(new URL(text))) return { problem: 'is still a placeholder' }
  if (/^sqlite:.+/.test(text) || (isPostgres && URL.canParse(text))) return { value: text }
  const hint = isPostgres ? ': in a user name or password, %-escape : / ? # [ ] @ and %' : ''
  return { problem: `must look like sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE${hint}` }
}

/** Why nothing can be reached there. */
function hostProblem({ hostname, port }: URL): string | undefined {
  if (hostname.includes('*')) return 'must name one host, without *'
  if (/^(0\.0\.0\.0|\[::\])$/.test(hostname))
    return `must name a host: ${hostname} stands for all addresses of a machine, and is none of them`
  return port === '0' ? 'must have no port 0' : undefined
}

/** Whether its user, password or host is still the word that the documents have in its place. */
function isTemplate({ username, password, hostname }: URL): boolean {
  return (
    /^host(name)?$/i.test(hostname) ||
    username === 'USER' ||
    password === 'PASSWORD' ||
    placeholderProblem(password) !== undefined
  )
}

function hasVersion({ pathname }: URL): string | undefined {
  return /\/v1(\/|$)/i.test(pathname) ? 'must not have /v1 in it: the service adds that' : undefined
}

/** `protocols`: those that are taken besides, wherever the host is. */
function addressUnless(problemOf: (url: URL) => string | undefined, protocols: readonly string[] = []): Parse<string> {
  return (text) => {
    const url = /^[a-z+.-]+:\/\/[^\\\s]+$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
    if (!url) return { problem: 'must be an address such as https://example.com' }
    if (url.username || url.password) return { problem: 'must not hold a user name or password' }
    if (/[?#]/.test(text)) return { problem: 'must have no query and no fragment' }
    const isLocal = url.protocol === 'http:' && isLoopback(url.hostname)
    if (url.protocol !== 'https:' && !isLocal && !protocols.includes(url.protocol))
      return { problem: 'must be https (or http on loopback)' }
    const problem = hostProblem(url) ?? problemOf(url)
    return problem ? { problem } : { value: url.origin + withoutEnd(url.pathname, '/') }
  }
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
