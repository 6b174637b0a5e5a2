/** Why a server cannot listen, in a sentence. */
import { Problem } from './errors.ts'

/** What the error of a server means that was to listen; `hint`: where another address is chosen. */
export function notListening({ host, port }: { host: string; port: number }, hint: string, cause: Error): Problem {
  const code = (cause as NodeJS.ErrnoException).code
  const why = {
    EADDRINUSE: 'the port is taken',
    EACCES: 'this port needs more rights',
    EADDRNOTAVAIL: 'this machine has no such address',
  }
  return new Problem('cannot_listen', `cannot listen on ${host}:${port}: ${why[code as keyof typeof why] ?? code}`, {
    hint,
    exitCode: 78,
    cause,
  })
}
