/**
 * Requests to addresses that customers give. Such an address may be made to lead into our own network, so: https on port 443
 * alone, public IP addresses alone, looked up here and connected to by number (a name that answers otherwise a moment later
 * changes nothing), no redirect, a deadline for all of it, and a few kilobytes of the answer.
 */
import { Resolver } from 'node:dns/promises'
import type { Socket } from 'node:net'
import { Agent, buildConnector, type Dispatcher, ProxyAgent, request as undiciRequest } from 'undici'
import { type Clock, systemClock } from './clock.ts'
import { isLoopback } from './loopback.ts'
import { isAddress, isPublicAddress } from './public-address.ts'
import {
  type Answered,
  beginningOf,
  failureOf,
  type Outgoing,
  type Proxies,
  type Send,
  singleHeaders,
} from './request.ts'

/** The failure of a request that was not made, because of where it would have gone. */
export const addressRefused = 'ADDRESS_REFUSED'

/** What receivers answer is a word. More than this is not read. */
const answerBytesMax = 4 * 1024
const connectMs = 5_000
/** A name with more addresses than this is tried at the first ones. */
const addressesMax = 4

export interface PublicOptions {
  clock?: Clock
  proxies?: Proxies
  /** Ends requests in progress. */
  closing?: AbortSignal
  /** Loopback addresses too, on any port and by http: for the demo and for tests. No setting leads here. */
  unsafeAllowLoopback?: boolean
  /** The IP addresses of a name, by the name servers of this machine unless a test hands in others. */
  resolve?(host: string, signal: AbortSignal): Promise<string[]>
  /** The one port that is connected to; a test has a trap on another. */
  port?: number
  /** How a connection is made, for a test that sees where each would go. */
  dial?: buildConnector.connector
}

/** What is wrong with an address, at the end of a sentence that begins with what it is; undefined when a request may be tried. */
export function addressProblem(text: string, { unsafeAllowLoopback = false, port = 443 } = {}): string | undefined {
  const url = /^[a-z+.-]+:\/\/[^\\\s]+$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (!url) return 'must be an address such as https://hooks.example.com/…'
  if (text.length > 2_048) return 'must have at most 2,048 characters'
  if (url.username || url.password) return 'must not hold a user name or password'
  if (url.hash) return 'must not have a # in it'
  const isOurs = unsafeAllowLoopback && isLoopback(url.hostname)
  if (isOurs && /^https?:$/.test(url.protocol)) return undefined
  if (url.protocol !== 'https:') return 'must begin with https://'
  if (Number(url.port || 443) !== port) return 'must not name another port than 443'
  if (isLoopback(url.hostname) || (isAddress(url.hostname) && !isPublicAddress(url.hostname)))
    return 'must lead to the public internet'
  return undefined
}

/** Each request has a connection of its own, so that what was checked is what is used. */
export function openPublicSend(options: PublicOptions = {}): Send {
  const { clock = systemClock, proxies = {}, closing, unsafeAllowLoopback = false, port = 443 } = options
  const { resolve = askNameServers, dial = buildConnector({ timeout: connectMs, allowH2: false }) } = options

  async function send(outgoing: Outgoing): Promise<Answered> {
    if (addressProblem(outgoing.url, { unsafeAllowLoopback, port })) return refused
    const url = new URL(outgoing.url)
    const deadline = new AbortController()
    const timeUp = new DOMException('no whole answer', 'TimeoutError')
    const cancel = clock.after(outgoing.deadlineMs, () => deadline.abort(timeUp))
    const ending = closing ? AbortSignal.any([deadline.signal, closing]) : deadline.signal
    const aborted = new Promise<never>((_, reject) => ending.addEventListener('abort', () => reject(ending.reason)))
    aborted.catch(() => {})
    try {
      const isOurs = unsafeAllowLoopback && isLoopback(url.hostname)
      if (isOurs) return await ask(outgoing, url, new Agent({ allowH2: false }), ending)
      const addresses = await Promise.race([addressesOf(url.hostname, ending), aborted])
      // mutant: connects to a name that has one public address among others
      if (addresses.length === 0 || !addresses.every(isPublicAddress)) return refused
      return await firstThatAnswers(addresses.slice(0, addressesMax), (address) => {
        const dispatcher = dispatcherFor(url, address)
        if (!proxyFor(url)) return ask(outgoing, url, dispatcher, ending)
        const headers = { ...outgoing.headers, host: url.host }
        return ask({ ...outgoing, headers }, at(address, url), dispatcher, ending)
      })
    } catch (error) {
      return { status: 0, failure: closing?.aborted ? 'STOPPED' : failureOf(error) }
    } finally {
      cancel()
    }
  }

  async function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
    return isAddress(host) ? [host.replace(/^\[(.*)\]$/, '$1')] : resolve(host, signal)
  }

  function proxyFor({ hostname }: URL): string | undefined {
    const { https, except = '' } = proxies
    return https && !isExcepted(hostname, except) ? https : undefined
  }

  /** A proxy is given the address as well: what it would make of the name is not ours to check. */
  function dispatcherFor(url: URL, address: string): Dispatcher {
    const proxy = proxyFor(url)
    const servername = isAddress(url.hostname) ? '' : url.hostname
    if (proxy) return new ProxyAgent({ uri: proxy, requestTls: { servername }, connectTimeout: connectMs })
    return new Agent({
      allowH2: false,
      connect: (asked, callback) =>
        dial({ ...asked, hostname: address, host: address, port: String(port), servername }, (...connected) => {
          const [error, socket] = connected
          if (error || isThere(socket, address)) return callback(...connected)
          socket?.destroy()
          callback(Object.assign(new Error('connected to another address'), { code: addressRefused }), null)
        }),
    })
  }

  return send
}

const refused: Answered = { status: 0, failure: addressRefused }

/** By what the system says of the connection itself. */
function isThere(socket: Socket | null, address: string): boolean {
  return socket?.remoteAddress !== undefined && isPublicAddress(socket.remoteAddress) && isPublicAddress(address)
}

async function ask(
  { method, headers, body }: Outgoing,
  url: URL,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<Answered> {
  try {
    const answer = await undiciRequest(url, { method, headers: headers ?? {}, body: body ?? null, dispatcher, signal })
    // Whether a receiver took the request is in its status: what follows may be cut off.
    const { text } = await beginningOf(answer.body, answerBytesMax)
    return { status: answer.statusCode, headers: singleHeaders(answer.headers), body: text }
  } finally {
    await dispatcher.destroy()
  }
}

/** Of a machine without IPv6 the first addresses of a name may be out of reach. */
async function firstThatAnswers(
  addresses: readonly string[],
  connect: (address: string) => Promise<Answered>,
): Promise<Answered> {
  for (const [at, address] of addresses.entries()) {
    try {
      return await connect(address)
    } catch (error) {
      const isUnreached = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/
      if (at === addresses.length - 1 || !isUnreached.test(failureOf(error))) throw error
    }
  }
  return refused
}

/** The same request by number, with the host's name for the receiver. */
function at(address: string, url: URL): URL {
  const there = new URL(url)
  there.hostname = address.includes(':') ? `[${address}]` : address
  return there
}

/**
 * Asks the name servers themselves. The system's own lookup would wait in one of four threads that look-ups of partners need
 * too, so a name whose server never answers would delay events. And it also reads the hosts file, which names this network.
 */
async function askNameServers(host: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  signal.addEventListener('abort', () => resolver.cancel(), { once: true })
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  // A name that has addresses of one kind only answers ENODATA for the other.
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (addresses.length === 0 && failed) throw failed.reason
  return addresses
}

/** As undici reads NO_PROXY: a host, all below `.host`, or `*`; with or without a port. */
function isExcepted(host: string, except: string): boolean {
  return except.split(/[,\s]+/).some((part) => {
    const [, name = ''] = /^(.*?)(?::\d+)?$/.exec(part.toLowerCase()) ?? []
    if (name === '*') return true
    if (!/^[.*]/.test(name)) return name !== '' && name === host
    return `.${host}`.endsWith(name.replace(/^\*?/, ''))
  })
}
