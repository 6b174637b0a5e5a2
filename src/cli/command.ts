/** What a command is: one per file, listed once in index.ts, from which --help is made. */
import type { Config, Env } from '../config.ts'
import type { Log } from '../lib/log.ts'
import { withUnseenShown } from '../lib/unseen.ts'
import type { Service, Store } from '../service.ts'
import type { Ledger } from '../storage/ports/lookup.ts'

export interface Context {
  /** The settings as they are given. Throws a Problem where `.env` cannot be read. */
  env(): Env
  /** What a machine or a person reads as the result; nothing else goes to standard output. */
  print(text: string): void
  /** Progress and remarks, to standard error. */
  remark(text: string): void
  /** All of standard input, for secrets and files; never asked for on a terminal without saying so. */
  readInput(): Promise<string>
  openStore(
    config: Pick<Config, 'databaseUrl' | 'encryptionKeys' | 'orgsAllowed' | 'segment'>,
    mode?: 'beside' | 'create',
  ): Promise<Store>
  openService(config: Config, options?: { log?: Log; unsafeAllowLoopback?: boolean }): Promise<Service>
  /** Alerts may go to receivers on this machine: set by tests alone. */
  unsafeAllowLoopback?: boolean
  /** Rewrites an SQLite store in its place; resolves to its sizes in bytes. */
  compactStore(url: string): Promise<{ bytesBefore: number; bytesAfter: number }>
  /** Copies one store into another, an empty one; resolves to what has not arrived or differs, if anything. */
  moveStore(from: string, to: string, move: Move): Promise<string | undefined>
  /** Resolves when the process is asked to stop (SIGTERM, SIGINT, SIGHUP, SIGQUIT); a second signal of the same kind ends it at once. */
  untilStopped(): Promise<void>
}

/** What commands write with: unseen characters and orders to a terminal are shown as text, and JSON stays the same JSON. */
export function speaker(write: (text: string) => void): (text: string) => void {
  return (text) => write(withUnseenShown(text))
}

export interface Move {
  told(table: string, rows: number, of: number): void
  compare(from: Ledger, to: Ledger): Promise<string | undefined>
}

export interface Option {
  /** As commander writes it: `--json`, `--org <id>`. */
  flags: string
  meaning: string
  choices?: readonly string[]
  default?: string
  required?: boolean
}

export type Given = Record<string, string | boolean | undefined>

export interface Command {
  name: string
  summary: string
  arguments?: { name: string; meaning: string }[]
  options?: Option[]
  /** Command lines that work as they stand, for --help. */
  examples: string[]
  commands?: Command[]
  /** Resolves to the exit code; nothing means 0. */
  run?(context: Context, given: Given, args: string[]): Promise<number> | Promise<void>
}
