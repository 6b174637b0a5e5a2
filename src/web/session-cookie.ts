/** A cookie of the console: for this host alone, and out of reach of scripts. */
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Site } from './http/headers.ts'

export interface Cookie {
  read(c: Context): string | undefined
  write(c: Context, value: string, maxAgeSeconds?: number): void
  remove(c: Context): void
}

/** `__Host-`: no other host, not even a subdomain, can set it. On an http loopback address browsers allow no such name. */
export function cookieOf({ isSecure }: Pick<Site, 'isSecure'>, name: string): Cookie {
  const fullName = isSecure ? `__Host-${name}` : name
  // Lax: a browser that comes back from Drift must have it; forms of other sites get no further than the gate.
  const options = { path: '/', httpOnly: true, secure: isSecure, sameSite: 'Lax' } as const
  return {
    read: (c) => getCookie(c, fullName),
    write: (c, value, maxAge) => setCookie(c, fullName, value, maxAge === undefined ? options : { ...options, maxAge }),
    remove: (c) => void deleteCookie(c, fullName, { path: '/', secure: isSecure }),
  }
}
