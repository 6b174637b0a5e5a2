/** What every request of a browser passes before anything looks at it: a known route, a small body, our own pages. */
import type { Env, Hono, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { TrieRouter } from 'hono/router/trie-router'
import type { Site } from './headers.ts'
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

export const smallBody: MiddlewareHandler = (c, next) => {
  const has = (name: string) => c.req.header(name) !== undefined
  return has('content-length') || has('transfer-encoding') ? limit(c, next) : next()
}

const limit = bodyLimit({
  maxSize: bodyBytesMax,
  onError: (c) => {
    c.header('connection', 'close')
    return refuse(c, 413, 'too_large')
  },
})

/**
 * A POST comes from a page of ours: by the browser's own word, else by the origin it names. A program that is no browser
 * says neither; it has no cookies that somebody else could make it use.
 */
export function ownPagesOnly({ publicUrl }: Pick<Site, 'publicUrl'>): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const site = c.req.header('sec-fetch-site')
    const origin = c.req.header('origin')
    const isOurs = site ? site === 'same-origin' || site === 'none' : isSame(origin, publicUrl())
    return isOurs ? next() : refuse(c, 403, 'cross_site')
  }
}

function isSame(origin: string | undefined, publicUrl: string): boolean {
  return origin === undefined || origin === new URL(publicUrl).origin
}
