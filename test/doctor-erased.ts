/** What `doctor` says of an SQLite store that may still hold what was erased, or whose log is held by a reader. */
import { DatabaseSync } from 'node:sqlite'
import type { Env } from '../src/config.ts'
import type { Change } from './doctor-changes.ts'

function pathIn(env: Env): string {
  return env.DATABASE_URL!.slice('sqlite:'.length)
}

function write(env: Env, sql: string): void {
  const db = new DatabaseSync(pathIn(env))
  db.exec(sql)
  db.close()
}

export const erasedChanges: readonly Change[] = [
  {
    when: 'an erasing could not empty the log',
    on: ['sqlite'],
    make: ({ env }) => write(env, 'UPDATE erasures SET last = 1'),
    begins: ['erased_in_log'],
    says: /^look {1}store: the log .* \(erase_pending\)\n.*end what reads the file/m,
    exitCode: 0,
  },
  {
    when: 'an erasing emptied the log of a file too large to be written again at once',
    on: ['sqlite'],
    make: ({ env }) => write(env, 'UPDATE erasures SET last = 1, logged = 1'),
    begins: ['erased_in_file'],
    says: /^look {1}store: the file .* \(erase_pending\)\n.*compact/m,
    exitCode: 0,
  },
  {
    when: 'a reader has kept the log from being emptied while much was written',
    on: ['sqlite'],
    make: ({ env, later }) => {
      const reader = new DatabaseSync(pathIn(env))
      reader.exec('BEGIN; SELECT count(*) FROM entries')
      later(() => reader.close())
      write(env, 'CREATE TABLE large (x BLOB); INSERT INTO large VALUES (zeroblob(20000000))')
    },
    begins: ['log_long'],
    says: /^look {1}store: the log .* has grown to \d\d MiB.*\n.*end what reads the file/m,
    exitCode: 0,
  },
]
