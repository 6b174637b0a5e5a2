import { Problem } from '../lib/errors.ts'

/** The answer to a command whose DATABASE_URL names no store: only a service and `installs add` make one. */
export function storeNotThere(where: string): Problem {
  return new Problem('store_not_there', `no store was found ${where}`, {
    hint: 'look at DATABASE_URL (a path is taken from the working folder); `serve` and `installs add` make a store',
    exitCode: 78,
  })
}
