/**
 * A session: that this browser's holder proved, at a certain time, to be an admin of one Drift account. Drift names no
 * person, so neither do we. The store knows a session by a digest of its id: a reader of the store cannot use it.
 */
import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { digestOf, isSame, newSecret } from '../lib/secret.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Ticket, Tickets } from '../storage/ports/sessions.ts'
import { staleProofPage } from './console/confirm-identity.ts'
import { csrfField, fieldsOf } from './http/form.ts'
import type { Site } from './http/headers.ts'
import { refuse } from './http/refuse.ts'
import type { ReturnPath } from './return-path.ts'
import { type Cookie, cookieOf } from './session-cookie.ts'

export interface Session {
  org: Org
  /** When its holder last proved to be an admin. */
  provenAt: number
  /** What every form of this session carries, in the field `csrf`. */
  csrf: string
  /** For the audit. */
  who: string
}

/** What a route finds in its context: `body` where it is a POST, `session` under /console. */
export interface Web {
  Bindings: HttpBindings
  Variables: { session: Session; body: Buffer }
}

const minuteMs = 60_000
const idleMs = 30 * minuteMs
const lifetimeMs = 8 * 60 * minuteMs
const signInPath = '/console/sign-in'
/** How young the proof must be for a form that does not allow an old one. */
const freshMs = 10 * minuteMs
/** More than all admins of all accounts have open at once. */
const sessionsMax = 50_000

export interface Sessions {
  /** A proof was given: a new session under a new id, and the browser's old one ends. */
  begin(c: Context, org: Org, who: string): Promise<Session>
  /**
   * The same by a one-time link, which is used up in the same transaction; undefined when it is no longer good. `secret`: what
   * only this link in this browser has; a new one where absent.
   */
  beginByLink(c: Context, token: string, secret?: string): Promise<Session | undefined>
  /**
   * Gives the session to this browser once more that began under this secret in the last minute: a browser that sends a
   * form twice drops the answer to the first, and the cookie with it. False when no such session is there.
   */
  giveAgain(c: Context, secret: string): Promise<boolean>
  find(c: Context): Promise<Session | undefined>
  end(c: Context): Promise<void>
  /**
   * For everything under /console: sets `session`, leads to the sign-in without one, and from there back and to the form that
   * was not taken. A POST must carry the session's
   * token, and its proof must be younger than ten minutes, unless the route has `allowOldProof`; else a page says how to
   * prove it again, and nothing is changed.
   */
  required: MiddlewareHandler<Web>
}

/**
 * A route's declaration that the session is enough, for a form that changes neither where events go, nor what is sent or
 * dropped, nor who is alerted. What a route does not declare is refused on an old proof, so a new one cannot forget it.
 */
export const allowOldProof: MiddlewareHandler<Web> = (_, next) => next()

interface Needs {
  tickets: Tickets
  clock: Clock
  random: Random
  site: Site
  /** Whether accounts can prove themselves by Drift's OAuth. */
  hasOauth: boolean
  returnPath: ReturnPath
}

export function openSessions({ tickets, clock, random, site, hasOauth, returnPath }: Needs): Sessions {
  const cookie = cookieOf(site, 'sid')

  async function find(c: Context): Promise<Session | undefined> {
    const secret = cookie.read(c)
    if (!secret) return undefined
    const named = { kind: 'session', id: digestOf(secret) } as const
    const now = clock.now()
    const ticket = await tickets.get(named, now)
    if (!ticket) return undefined
    const until = Math.min(now + idleMs, ticket.at + lifetimeMs)
    // Not at every look, which would be a write for each; nor for what a page that stands open asks for by itself.
    if (!asksByItself(c) && until - ticket.until > minuteMs) await tickets.extend(named, until)
    return { org: ticket.org, provenAt: ticket.at, csrf: csrfOf(secret), who: ticket.who }
  }

  async function forget(c: Context): Promise<void> {
    const secret = cookie.read(c)
    if (secret) await tickets.redeem({ kind: 'session', id: digestOf(secret) }, clock.now())
  }

  function ticketFor(org: Org, who: string, secret: string): Ticket {
    const id = digestOf(secret)
    const at = clock.now()
    // So that the audit can tell two admins apart, though it cannot name them.
    return { kind: 'session', id, org, who: `${who}, session ${id.slice(0, 6)}`, at, until: at + idleMs }
  }

  /** The browser's old session ends, and this one is its own from now on. */
  async function give(c: Context, { org, who, at }: Ticket, secret: string): Promise<Session> {
    await forget(c)
    const session = { org, provenAt: at, csrf: csrfOf(secret), who }
    cookie.write(c, secret)
    returnPath.begun(c, session)
    return session
  }

  return {
    find,
    async end(c) {
      await forget(c)
      cookie.remove(c)
    },
    async giveAgain(c, secret) {
      const now = clock.now()
      const ticket = await tickets.get({ kind: 'session', id: digestOf(secret) }, now)
      if (!ticket || now - ticket.at >= minuteMs) return false
      cookie.write(c, secret)
      returnPath.begun(c, { org: ticket.org, csrf: csrfOf(secret) })
      return true
    },
    async begin(c, org, who) {
      const secret = newSecret(random)
      const ticket = ticketFor(org, who, secret)
      await tickets.issue(ticket, sessionsMax)
      return give(c, ticket, secret)
    },
    async beginByLink(c, token, secret = newSecret(random)) {
      const now = clock.now()
      const named = { kind: 'link', id: digestOf(token) } as const
      const link = await tickets.get(named, now)
      if (!link) return undefined
      const ticket = ticketFor(link.org, link.who, secret)
      return (await tickets.redeem(named, now, ticket)) && give(c, ticket, secret)
    },
    required: async (c, next) => {
      const session = await find(c)
      if (!session) {
        if (asksByItself(c)) return c.redirect(signInPath, 303)
        returnPath.keep(c)
        // Who presses "Sign out" without a session wants nothing more.
        if (c.req.method !== 'POST' || c.req.path === '/console/sign-out') return c.redirect(signInPath, 303)
        const isKept = await returnPath.keepEnded(c, await fieldsOf(c))
        return c.redirect(`${signInPath}?form=${isKept ? 'kept' : 'lost'}`, 303)
      }
      if (c.req.method === 'POST') {
        const fields = await fieldsOf(c)
        if (!isSame(fields.get(csrfField) ?? '', session.csrf)) return refuse(c, 403, 'form_stale')
        const isFresh = clock.now() - session.provenAt < freshMs
        if (!isFresh && !allowsOldProof(c)) {
          returnPath.keep(c)
          await returnPath.keepForm(c, session.org, fields)
          return c.html(staleProofPage({ session, hasOauth }), 403)
        }
      }
      c.set('session', session)
      return next()
    },
  }
}

function allowsOldProof(c: Context): boolean {
  return matchedRoutes(c).some(({ handler }) => handler === allowOldProof)
}

/** By the browser's own word, or where it says nothing by our script's: neither a person's way to a page nor a form. */
function asksByItself({ req }: Context): boolean {
  const isRefresh = req.header('x-refresh') !== undefined || req.header('accept') === 'text/event-stream'
  return isRefresh || req.header('sec-fetch-dest') === 'empty'
}

/** One secret for all that this browser has begun, so that two windows do not spoil each other's way on. */
export function secretOf(c: Context, cookie: Cookie, random: Random, maxAgeSeconds: number): string {
  const kept = cookie.read(c)
  const secret = kept && /^[\w-]{43}$/.test(kept) ? kept : newSecret(random)
  cookie.write(c, secret, maxAgeSeconds)
  return secret
}

/** What a form carries, made from what the cookie holds and not from the store, so that reading the store makes none. */
export function csrfOf(secret: string): string {
  return digestOf(`csrf ${secret}`)
}
