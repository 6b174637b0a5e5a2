/** How people and tests tell a simulator what to do: always, once each in turn, or as a function of the request. */
import type { Received } from './server.ts'

/**
 * One action: for every request. A list: one for each request in turn, then the normal answers again. A function: asked
 * each time, undefined is the normal answer. `{}` is the normal answer too.
 */
export type Script<A extends object> = A | readonly A[] | ((request: Received) => A | undefined)
export type Player<A extends object> = (request: Received) => A | undefined

/** A path, where `*` stands for one of its parts (`/conversations/*`), or an expression for the whole path. */
export type PathPattern = string | RegExp

export interface Scripts<A extends object> {
  /** Replaces the script of this pattern; undefined takes it away. */
  set(pattern: PathPattern, script: Script<A> | undefined): void
  /** What the first pattern that fits and has something to say says. */
  next(request: Received): A | undefined
}

export function openScripts<A extends object>(): Scripts<A> {
  const players = new Map<string, { path: RegExp; play: Player<A> }>()
  return {
    set(pattern, script) {
      if (script === undefined) players.delete(String(pattern))
      else players.set(String(pattern), { path: expression(pattern), play: player(script) })
    },
    next(request) {
      for (const { path, play } of players.values()) {
        const action = path.test(request.path) ? play(request) : undefined
        if (action !== undefined) return action
      }
      return undefined
    },
  }
}

export function player<A extends object>(script: Script<A>): Player<A> {
  if (typeof script === 'function') return script
  if (!Array.isArray(script)) return () => script as A
  const queue = [...(script as readonly A[])]
  return () => queue.shift()
}

export function expression(pattern: PathPattern): RegExp {
  if (pattern instanceof RegExp) return pattern
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^/]+')}$`)
}
