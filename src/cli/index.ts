/** The command line: the table of commands, and what is common to all of them. */
import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander'
import { environment } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { withUnseenShown } from '../lib/unseen.ts'
import { version } from '../segment/call.ts'
import { alerts } from './alerts.ts'
import { backup } from './backup.ts'
import { check } from './check.ts'
import { type Command, type Context, type Given, speaker } from './command.ts'
import { compact } from './compact.ts'
import { demo } from './demo.ts'
import { destinations } from './destinations.ts'
import { doctor } from './doctor.ts'
import { erase } from './erase.ts'
import { events } from './events.ts'
import { handled } from './handled.ts'
import { backfill, reconcile } from './history.ts'
import { inspect } from './inspect.ts'
import { installs } from './installs.ts'
import { jobs } from './jobs.ts'
import { keys } from './keys.ts'
import { move } from './move.ts'
import { options } from './options.ts'
import { becomeOwnerOf } from './owner.ts'
import { preview } from './preview.ts'
import { redrive } from './redrive.ts'
import { send } from './send.ts'
import { serve } from './serve.ts'
import { signIn } from './sign-in.ts'
import { signOut } from './sign-out.ts'
import { sim } from './sim.ts'
import { snippet } from './snippet.ts'

export const commands: readonly Command[] = [
  serve,
  demo,
  sim,
  send,
  events,
  snippet,
  installs,
  destinations,
  signIn,
  signOut,
  inspect,
  redrive,
  jobs,
  options,
  preview,
  backfill,
  reconcile,
  erase,
  handled,
  alerts,
  check,
  doctor,
  backup,
  compact,
  move,
  keys,
]

/** Runs one command line and resolves to its exit code: docs/errors.md says what each means. */
export async function run(
  args: string[],
  open: Pick<Context, 'openStore' | 'openService' | 'compactStore' | 'moveStore'>,
): Promise<number> {
  const remark = speaker((text) => void process.stderr.write(`${text}\n`))
  // The first would open the inspector, through which the keys could be read; the second would end us without draining.
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {})
  // The reader may close the pipe before the end, as `head` does.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  try {
    const print = speaker((text) => void process.stdout.write(`${text}\n`))
    const context: Context = { ...asOwner(open), env: environment, print, remark, readInput, untilStopped }
    let exitCode = 0
    const program = new Commander('drift-segment-source')
      .description(
        "Receives Drift's webhooks, keeps them, and sends ten types of events to Segment as Track and Identify calls.",
      )
      .version(version, '--version', 'print the version')
      .showHelpAfterError(usage(''))
      .showSuggestionAfterError()
      // What was meant as a secret must not be repeated in a log of commands.
      .configureOutput({ outputError: (text, write) => write(withUnseenShown(withoutValues(text))) })
    for (const command of commands) add(program, command, '', context, (code) => (exitCode = code))
    await program.exitOverride().parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof Problem)) throw error
    remark(`${error.code}: ${error.message}${error.hint ? `\n  what to do: ${error.hint}` : ''}`)
    return error.exitCode
  }
}

/** Commands beside the service, as the user whom the store belongs to. The service itself runs as it was started. */
function asOwner<Open extends Pick<Context, 'openStore' | 'compactStore' | 'moveStore'>>(open: Open): Open {
  return {
    ...open,
    openStore(config, mode) {
      becomeOwnerOf(config.databaseUrl)
      return open.openStore(config, mode)
    },
    compactStore(url) {
      becomeOwnerOf(url)
      return open.compactStore(url)
    },
    moveStore(from, to, move) {
      becomeOwnerOf(from)
      return open.moveStore(from, to, move)
    },
  } satisfies Pick<Context, 'openStore' | 'compactStore' | 'moveStore'> & Open
}

function withoutValues(misuse: string): string {
  return misuse.replace(/('--?[\w-]+)=[^']*'/, "$1'").replace(/( but got \d+): .*/, '$1')
}

/** What a misuse says behind what was wrong; `path`: the command's name with those above it. */
function usage(path: string): string {
  return `  what to do: npx drift-segment-source${path} --help`
}

function add(parent: Commander, command: Command, above: string, context: Context, done: (code: number) => void): void {
  const path = `${above} ${command.name}`
  const added = parent.command(command.name).description(command.summary).exitOverride().showHelpAfterError(usage(path))
  for (const { name, meaning } of command.arguments ?? []) added.argument(name, meaning)
  for (const option of command.options ?? []) {
    const made = new CommanderOption(option.flags, option.meaning)
    if (option.choices) made.choices([...option.choices])
    if (option.default !== undefined) made.default(option.default)
    added.addOption(made.makeOptionMandatory(option.required ?? false))
  }
  if (command.examples.length > 0) {
    added.addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`)
  }
  for (const child of command.commands ?? []) add(added, child, path, context, done)
  const { run: action, commands: children = [] } = command
  if (!action) {
    added
      .allowExcessArguments()
      .action(() => added.error(`error: ${command.name} takes one of ${children.map(({ name }) => name).join(', ')}`))
    return
  }
  added.action(async (...given: unknown[]) => {
    const used = given.at(-1) as Commander
    done((await action(context, used.opts<Given>(), used.args)) ?? 0)
  })
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.once(signal, () => resolve())
  })
}
