import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isatty } from 'node:tty'

const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']
const orphanCheckMs = 200
const ignore = () => {}
// Looked at now: when the terminal goes away, as SIGHUP says, it is not one any more.
const onTerminal = isatty(0)
const parent = process.ppid

/**
 * Runs a program to its end and says how it ended: `{ code, signal, received, output }`, one of `code` and `signal` being
 * null. `output` is what it wrote to pipes; by default it has our own stdio instead.
 * SIGTERM, SIGINT, SIGHUP and SIGQUIT sent to us meanwhile go to it, and we wait for it; `received` is the first of them,
 * or null.
 */
export function runChild(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    let child
    let received = null
    let output = ''
    const forward = (signal) => {
      received ??= signal
      // A terminal sends its signals to the whole group, the child included: the same one twice would mean "now, without
      // draining", so it gets another one.
      child.kill(onTerminal ? 'SIGTERM' : signal)
    }
    for (const signal of forwarded) process.on(signal, forward)
    // By default the first opens the inspector, and both say nothing to the child.
    for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, ignore)
    // Started last: on a busy machine it may be up, and a key pressed for it, before our next line runs.
    child = spawn(command, args, { stdio: 'inherit', ...options })
    // npm starts scripts through a shell and signals only that. A shell that does not pass it on (dash) dies, we live on.
    const orphanCheck = setInterval(() => {
      if (process.env.npm_command && process.ppid !== parent && received === null) forward('SIGTERM')
    }, orphanCheckMs)
    const end = (settle, value) => {
      clearInterval(orphanCheck)
      for (const signal of forwarded) process.off(signal, forward)
      for (const signal of ['SIGUSR1', 'SIGUSR2']) process.off(signal, ignore)
      settle(value)
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.once('error', (error) => end(reject, error))
    child.once('close', (code, signal) => end(resolve, { code, signal, received, output }))
  })
}

/** Ends this process as another one ended: with its exit code, or by its signal. */
export function endLike({ code, signal }) {
  if (signal === null) {
    process.exitCode = code
    return
  }
  // What a shell would report, for the signals that Node ignores and therefore survives (SIGPIPE).
  process.exitCode = 128 + constants.signals[signal]
  process.kill(process.pid, signal)
}
