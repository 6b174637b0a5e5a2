/** A way into the console for the operator, and for accounts that were installed without OAuth. */
import { record } from '../accounts/audit.ts'
import { addressOf, judgeSetting, readConfig } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { systemRandom } from '../lib/random.ts'
import { digestOf, newSecret } from '../lib/secret.ts'
import type { Command, Given } from './command.ts'
import { notInstalled, org, orgOf, who } from './store.ts'

const linkMs = 10 * 60_000
/** Links that wait to be used, in all. */
const linksMax = 1_000

export const signIn: Command = {
  name: 'sign-in',
  summary: "print a one-time link to an account's console, good for ten minutes",
  options: [org, { flags: '--url <address>', meaning: 'where browsers reach the service; default: PUBLIC_URL' }],
  examples: [
    'npx drift-segment-source sign-in --org 12345',
    'npx drift-segment-source sign-in --org 12345 --url http://127.0.0.1:8080',
  ],
  async run(context, given) {
    const config = readConfig(context.env(), 'store')
    const id = orgOf(given.org)
    const address = givenAddress(given.url) ?? addressOf(config)
    const store = await context.openStore(config)
    try {
      const { storage, accounts, clock } = store
      if ((accounts.get(id)?.state ?? 'disconnected') === 'disconnected') throw notInstalled(id)
      const at = clock.now()
      const secret = newSecret(systemRandom)
      const link = { kind: 'link', id: digestOf(secret), org: id, who: 'operator', at, until: at + linkMs } as const
      if ((await storage.tickets.issue(link, linksMax)) !== 'issued') {
        throw new Problem('links_too_many', `${linksMax} sign-in links wait to be used`, {
          hint: 'they end after ten minutes; then there is room again',
        })
      }
      await record({ ...storage, clock }, { org: id, who, act: 'madeLink' })
      context.print(`${address}/console/sign-in/${secret}`)
      context.remark('good for ten minutes, and once; the person who opens it is signed in')
    } finally {
      await store.close()
    }
  },
}

/** Judged as PUBLIC_URL is: it is given in its place. */
function givenAddress(given: Given[string]): string | undefined {
  if (given === undefined) return undefined
  const judged = judgeSetting('PUBLIC_URL', String(given))
  if ('value' in judged) return judged.value
  throw new Problem('url_unusable', `--url ${judged.problem}`, { exitCode: 2 })
}
