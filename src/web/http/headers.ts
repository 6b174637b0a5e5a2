/** What every answer to a browser says of itself: what it may load, whom it may be framed by, who may keep it. */
import type { MiddlewareHandler } from 'hono'

export interface Site {
  /** The address that browsers and Drift see, without a slash at the end; known once the service listens. */
  publicUrl(): string
  /** It is https, so cookies are for https alone, and a header keeps browsers there. */
  isSecure: boolean
  /** Drift's pages that a form of ours may lead to: browsers apply `form-action` to the redirects after a POST too. */
  leadsTo: readonly string[]
}

export function securityHeaders({ isSecure, leadsTo }: Pick<Site, 'isSecure' | 'leadsTo'>): MiddlewareHandler {
  const origins = [...new Set(leadsTo.map((url) => new URL(url).origin))]
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    `form-action 'self' ${origins.join(' ')}`,
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
  const headers = Object.entries({
    'content-security-policy': policy,
    ...(isSecure ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  })
  return async (c, next) => {
    await next()
    for (const [name, value] of headers) c.header(name, value)
    for (const [name, value] of unlessSaid) if (!c.res.headers.has(name)) c.header(name, value)
  }
}

const unlessSaid = Object.entries({
  'cache-control': 'no-store',
  // Not `no-referrer`, under which browsers say `Origin: null` of our own forms.
  'referrer-policy': 'same-origin',
})

/** For a page whose address is a secret, such as a code or a one-time link: no request says that it comes from there. */
export const secretAddress: MiddlewareHandler = async (c, next) => {
  await next()
  c.header('referrer-policy', 'no-referrer')
}
