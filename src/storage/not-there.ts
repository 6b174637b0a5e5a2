import { Problem } from '../lib/errors.ts'

/** The answer to a command whose DATABASE_URL names no store: only a service and `installs add` make one. */
export function storeNotThere(at: 'path' | 'database'): Problem {
  const [where, look] =
    at === 'path'
      ? ['at the path that DATABASE_URL names', 'DATABASE_URL (a path is taken from the working folder)']
      : ['in the database that DATABASE_URL names', 'the database in DATABASE_URL']
  return new Problem('store_not_there', `no store was found ${where}`, {
    hint: `look at ${look}; \`serve\` and \`installs add\` make a store`,
    exitCode: 78,
  })
}
