import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isatty } from 'node:tty'

const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP']

/**
 * Runs a program to its end and says how it ended: `{ code, signal, output }`, one of `code` and `signal` being null.
 * `output` is what it wrote, in the order written, when `options.stdio` has pipes; by default it has our own stdio.
 * SIGTERM, SIGINT and SIGHUP sent to us meanwhile go to it, and we wait for it.
 */
export function runChild(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole group, the child included: a second one could mean "now, without draining".
      if (signal === 'SIGINT' && isatty(0)) return
      child.kill(signal)
    }
    for (const signal of forwarded) process.on(signal, forward)
    const stopForwarding = () => {
      for (const signal of forwarded) process.off(signal, forward)
    }
    child.once('error', (error) => {
      stopForwarding()
      reject(error)
    })
    child.once('close', (code, signal) => {
      stopForwarding()
      resolve({ code, signal, output })
    })
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
