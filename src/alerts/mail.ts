/** Mail, by the server that the settings name: one connection a mail, encrypted unless the server is on this machine. */
import { createTransport } from 'nodemailer'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import { isLoopback } from '../lib/loopback.ts'

export interface Mail {
  /** The same on every attempt: servers and readers know a mail by it. */
  id: string
  to: string
  subject: string
  text: string
}

/** `status`: SMTP's, 250 where it was accepted; 0 and a code where no server answered. */
export interface Mailed {
  status: number
  answer?: string
  /** The server refused this mail for good: trying again would not help. */
  isFinal?: true
}

export type SendMail = (mail: Mail) => Promise<Mailed>

export interface MailServer {
  /** smtp: or smtps:, with user name and password where it wants them. */
  url: string
  from: string
}

const deadlineMs = 30_000
const stepMs = 10_000

/** Never rejects. A mail that reached its deadline may have been accepted all the same. */
export function openMail({ url, from }: MailServer, clock: Clock, closing?: AbortSignal): SendMail {
  const { protocol, hostname, port, username, password } = new URL(url)
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const isSecure = protocol === 'smtps:'
  return async ({ id, to, subject, text }) => {
    const deadline = new AbortController()
    const cancel = clock.after(deadlineMs, () => deadline.abort())
    const transport = createTransport({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      ...(port === '' ? {} : { port: Number(port) }),
      secure: isSecure,
      // Without it, an attacker on the way could remove the offer of TLS and read the password.
      requireTLS: !isSecure && !isLoopback(hostname),
      ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      connectionTimeout: stepMs,
      greetingTimeout: stepMs,
      socketTimeout: stepMs,
      dnsTimeout: stepMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    try {
      await transport.sendMail({
        from,
        // As an object, so that no text of it is read as several addresses.
        to: { name: '', address: to },
        subject,
        text,
        messageId: `<${id}@${domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal: closing ? AbortSignal.any([deadline.signal, closing]) : deadline.signal,
      })
      return { status: 250 }
    } catch (error) {
      const status = (error as { responseCode?: unknown }).responseCode
      const answer = closing?.aborted ? 'STOPPED' : deadline.signal.aborted ? 'TIMEOUT' : codeOf(error)
      // A server that does not let us sign in answers 5xx too, and that can be mended.
      const isRefused = typeof status === 'number' && status >= 500 && /^E(ENVELOPE|MESSAGE)$/.test(answer)
      return { status: typeof status === 'number' ? status : 0, answer, ...(isRefused ? { isFinal: true } : {}) }
    } finally {
      cancel()
      transport.close()
    }
  }
}
