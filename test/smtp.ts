/** A mail server on this machine that takes what it is sent, and can refuse or hang. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface MailTaken {
  from: string
  to: string[]
  /** The whole text, with its headers. */
  text: string
}

export interface MailServer {
  /** For SMTP_URL. */
  url: string
  mails: MailTaken[]
  /** What was sent to it, line by line, but for the mails. */
  lines: string[]
  /** Its answer to the next mails in place of 250, such as `451 later`; `hang` for no answer. */
  answer: string | undefined
  close(): Promise<void>
}

/** `auth`: without this user name and password it takes nothing. */
export async function startMailServer({ auth = '', host = '127.0.0.1' } = {}): Promise<MailServer> {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    converse(socket, server, auth)
  })
  listener.listen(0, host)
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const server: MailServer = {
    url: `smtp://${host}:${port}`,
    mails: [],
    lines: [],
    answer: undefined,
    async close() {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
  return server
}

function converse(socket: Socket, server: MailServer, auth: string): void {
  let isIn = auth === ''
  let mail: MailTaken = { from: '', to: [], text: '' }
  let isData = false
  let buffered = ''
  const say = (line: string) => socket.write(`${line}\r\n`)
  say('220 mail.example')
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    buffered += chunk
    for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
      const line = buffered.slice(0, end)
      buffered = buffered.slice(end + 2)
      take(line)
    }
  })

  function take(line: string): void {
    if (isData && line !== '.') mail.text += `${line.replace(/^\./, '')}\n`
    else if (isData) finish()
    else answer(line)
  }

  function answer(line: string): void {
    server.lines.push(line)
    if (/^EHLO/i.test(line) && auth) return void say('250-mail.example\r\n250 AUTH PLAIN')
    const [, plain] = /^AUTH PLAIN (.*)$/i.exec(line) ?? []
    if (plain !== undefined) {
      isIn = Buffer.from(plain, 'base64').toString() === `\0${auth.replace(':', '\0')}`
      return void say(isIn ? '235 welcome' : '535 wrong')
    }
    if (/^MAIL/i.test(line) && !isIn) return void say('530 sign in first')
    const [, from] = /^MAIL FROM:<(.*?)>/i.exec(line) ?? []
    const [, to] = /^RCPT TO:<(.*?)>/i.exec(line) ?? []
    if (from !== undefined) mail = { from, to: [], text: '' }
    if (to !== undefined) mail.to.push(to)
    isData = /^DATA/i.test(line)
    if (isData) say('354 go on')
    else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
    else say('250 OK')
  }

  function finish(): void {
    isData = false
    if (server.answer === 'hang') return
    if (server.answer !== undefined) return void say(server.answer)
    server.mails.push(mail)
    say('250 taken')
  }
}
