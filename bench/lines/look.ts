/** Do the console's list and charts answer at once with a million entries stored? */
import { percentile } from '../arithmetic.ts'
import { alone, type Line } from '../line.ts'
import { output } from '../process.ts'
import { serve, settingsFor } from '../product.ts'
import { startSegment } from '../segment.ts'
import { firstOrg } from '../webhook.ts'

const pages: Readonly<Record<string, string>> = {
  'the overview with its charts': '/console',
  'the charts of a week': '/console?range=7d',
  'the list of events': '/console/events',
  'the list by type and state': '/console/events?type=button_clicked&state=waiting',
  'the list of what failed, where nothing did': '/console/events?state=failed',
  'the list of the last day': '/console/events?range=24h',
  'one contact': '/console/events?q=21727000007',
  'a conversation that is not there': '/console/events?q=1',
  'what is not sent': '/console/not-sent',
  'privacy and the accounting': '/console/privacy',
  'the audit': '/console/audit',
  'resend, before a preview': '/console/resend',
}

/** The operator's one-time link, used as a browser would; gives the cookie of the session. */
async function signIn(url: string, env: NodeJS.ProcessEnv): Promise<string> {
  const link = (await output('src/main.ts', ['sign-in', '--org', String(firstOrg), '--url', url], env)).trim()
  const used = await fetch(link, { method: 'POST', redirect: 'manual' })
  const cookies = used.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0])
  if (used.status !== 303 || cookies.length === 0) throw new Error(`the sign-in link was answered ${used.status}`)
  return cookies.join('; ')
}

export const look: Line = {
  name: 'look',
  question: "Do the console's list and charts answer at once with a million entries stored?",
  peers: false,
  hereOnly: true,
  async run(bench) {
    const entries = bench.quick ? 20_000 : 1_000_000
    const segment = await startSegment({ status: 503 })
    const env = settingsFor(bench.engine, await bench.backlog(entries), segment.url)
    const console = await serve(bench.root, env)
    try {
      const cookie = await signIn(console.url, env)
      const rows = []
      for (const [name, path] of Object.entries(pages)) {
        const rounds: number[] = []
        for (let round = 0; round < bench.rounds; round++) {
          const ms: number[] = []
          for (let times = 0; times < 10; times++) {
            const startedAt = performance.now()
            const page = await fetch(`${console.url}${path}`, { headers: { cookie }, redirect: 'manual' })
            await page.text()
            if (page.status !== 200) throw new Error(`${path} was answered ${page.status}`)
            ms.push(performance.now() - startedAt)
          }
          rounds.push(percentile(ms, 50))
        }
        const aim = { words: '< 100 ms', holds: (ms: number) => ms < 100 }
        rows.push(alone(`console with ${entries.toLocaleString('en')} entries: ${name}`, 'ms', rounds, aim))
      }
      return rows
    } finally {
      await console.kill()
      await segment.kill()
    }
  },
}
