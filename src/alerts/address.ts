/** Where alerts go: addresses that admins give. Each is a secret, and shown by its host and its last characters alone. */

import { textProblem } from '../lib/pasted.ts'
import { addressProblem } from '../lib/public-request.ts'
import type { Channel } from '../storage/ports/alerts.ts'

/** What is wrong with it, as the end of a sentence that never holds it; undefined when alerts may be sent there. */
export function addressProblemOf(channel: Channel, address: string, unsafeAllowLoopback: boolean): string | undefined {
  const problem = textProblem(address)
  if (problem) return problem
  return channel === 'email' ? mailProblem(address) : addressProblem(address, { unsafeAllowLoopback })
}

/** One plain address: no name, no comment, no second one behind a comma, nothing that a header would read otherwise. */
function mailProblem(address: string): string | undefined {
  const isPlain = /^[a-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i.test(
    address,
  )
  return isPlain && address.length <= 254 ? undefined : 'must be one e-mail address such as name@example.com'
}

/** What may be shown of it: at most four characters, and never more than half of what is to be guessed. */
export function shownAddress(channel: Channel, address: string): string {
  if (channel === 'email') {
    const at = address.lastIndexOf('@')
    return `…${lastOf(address.slice(0, at))}${address.slice(at)}`
  }
  const { host, pathname, search } = new URL(address)
  return `${host} …${lastOf(`${pathname}${search}`.slice(1))}`
}

function lastOf(secret: string): string {
  const shown = Math.min(4, Math.floor(secret.length / 2))
  return secret.slice(secret.length - shown)
}
