/** What every request of a browser passes before anything looks at it: a known route, a small body, our own pages. */
import type { Context, Env, Hono, MiddlewareHandler } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import type { Web } from '../session.ts'
import type { BodyBudget } from './body-budget.ts'
import type { Site } from './headers.ts'
import { readBody } from './read-body.ts'
import { refuse } from './refuse.ts'

/** A form with every field at its longest is a few kB. */
const bodyBytesMax = 64 * 1024

/** Looking must change nothing, and this GET uses a code up. */
const withoutHead = '/connect/callback'

/** 404 for what no route of the app has, 405 with `Allow` for another method; before anybody is asked who they are. */
export function knownRoutes<E extends Env>(app: Hono<E>): MiddlewareHandler {
  let router: TrieRouter<string> | undefined
  const methodsAt = (path: string): string[] => {
    if (!router) {
      router = new TrieRouter()
      for (const route of app.routes) if (route.method !== 'ALL') router.add('ALL', route.path, route.method)
    }
    const methods = new Set(router.match('ALL', path)[0].map(([method]) => method))
    return [...methods].flatMap((method) => (method === 'GET' && path !== withoutHead ? ['GET', 'HEAD'] : [method]))
  }
  return async (c, next) => {
    const methods = methodsAt(c.req.path)
    if (methods.includes(c.req.method)) return next()
    // What was sent is not read, so the connection cannot be used again.
    c.header('connection', 'close')
    if (methods.length === 0) return refuse(c, 404, 'not_found')
    c.header('allow', methods.join(', '))
    return refuse(c, 405, 'method_not_allowed')
  }
}

/** Reads what a POST brings, for `fieldsOf`: whole, small, and within what strangers' bodies may take together. */
export function smallBody(strangers: BodyBudget): MiddlewareHandler<Web> {
  return async (c, next) => {
    if (c.req.method !== 'POST') return next()
    const isTooLarge = Number(c.req.header('content-length') ?? 0) > bodyBytesMax
    const limits = { bytesMax: bodyBytesMax, budget: strangers, make: (whole: Buffer) => whole }
    const body = isTooLarge ? ('too_large' as const) : await readBody(c.env.incoming, limits)
    if (typeof body === 'object') {
      c.set('body', body)
      return next()
    }
    // What follows is not read, so the connection cannot be used again.
    c.header('connection', 'close')
    if (body === 'too_large') return refuse(c, 413, 'too_large')
    return body === 'cut' ? refuse(c, 408, 'strangers_too_many') : refuse(c, 400, 'form_unusable')
  }
}

/** A POST that a browser says comes from elsewhere is refused. Where a browser hides it, the form's own token decides. */
export function ownPagesOnly({ publicUrl }: Pick<Site, 'publicUrl'>): MiddlewareHandler {
  return async (c, next) => {
    const isLook = c.req.method === 'GET' || c.req.method === 'HEAD'
    return isLook || comesFrom(c, publicUrl()) !== 'elsewhere' ? next() : refuse(c, 403, 'cross_site')
  }
}

/**
 * Where a POST comes from, by the first header that says so: Sec-Fetch-Site, which a page cannot change, else Origin, else
 * Referer. Browsers before 2023 may lack the first. `hidden`: the origin is `null`, as it is from a page without referrers,
 * of ours or of anybody. A program that is not a browser says nothing; it has no cookies that a page could make it use.
 */
export function comesFrom({ req }: Pick<Context, 'req'>, publicUrl: string): 'ours' | 'elsewhere' | 'hidden' {
  const ours = new URL(publicUrl).origin
  const site = req.header('sec-fetch-site')
  if (site) return site === 'same-origin' || site === 'none' ? 'ours' : 'elsewhere'
  const origin = req.header('origin')
  if (origin !== undefined && origin !== 'null') return origin === ours ? 'ours' : 'elsewhere'
  const referrer = req.header('referer')
  if (referrer) return URL.parse(referrer)?.origin === ours ? 'ours' : 'elsewhere'
  return origin === 'null' ? 'hidden' : 'ours'
}
