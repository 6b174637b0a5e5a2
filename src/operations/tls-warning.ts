import type { Log } from '../lib/log.ts'
import type { Send } from '../lib/request.ts'

/** The same, but a partner whose TLS is not right is a warning: once, until it was right again. */
export function warningOfTls(send: Send, log: Log): Send {
  const warned = new Map<string, string>()
  return async (outgoing) => {
    const answered = await send(outgoing)
    const host = URL.parse(outgoing.url)?.host ?? ''
    if (answered.failure === undefined) warned.delete(host)
    else if (answered.failure.startsWith('TLS_') && warned.get(host) !== answered.failure) {
      warned.set(host, answered.failure)
      log.warn('partner_tls', { host, reason: answered.failure })
    }
    return answered
  }
}
