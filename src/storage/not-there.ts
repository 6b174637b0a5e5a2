import { Problem } from '../lib/errors.ts'

/** What a command hears that looks for a store where there is none. */
export function storeNotThere(where: string): Problem {
  return new Problem('store_not_there', `there is no store ${where}`, {
    hint: 'look at DATABASE_URL (a path is taken from the working folder); `serve` and `installs add` make a store',
    exitCode: 78,
  })
}
