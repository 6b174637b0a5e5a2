/**
 * One replica in a process of its own: `node test/replica.ts <leaseMs>`, its settings in the environment. Says where it
 * listens and, line by line, which leases it takes, prolongs and gives back, so that the test that started it can judge them.
 */
import { environment, readConfig } from '../src/config.ts'
import { openLog } from '../src/lib/log.ts'
import { openService, openStore } from '../src/service.ts'
import type { Lane } from '../src/storage/ports/entry.ts'

export interface LeaseTold {
  what: 'claimed' | 'renewed' | 'settled'
  org: string
  lane: Lane
  token: number
  /** The process that claims it, and whether it was still working on this account. */
  by?: { id: string; busy: boolean }
  /** When it was asked for, and when it was answered. */
  asked: number
  answered: number
  /** Until when it lasts now; when it is given back, when that was asked for. */
  until: number
  ids: number[]
}

export type Told = { what: 'listening'; url: string } | LeaseTold

const say = (told: Told) => process.stdout.write(`${JSON.stringify(told)}\n`)
const config = readConfig(environment())
const store = await openStore(config, 'serve')
const { inbox } = store.storage
const { claim, renew, settle } = inbox

inbox.claim = async (lane, options) => {
  const claimed = await claim(lane, options)
  for (const { org, token, entries } of claimed.leases) {
    const { id, busy } = options.holder!
    const by = { id, busy: busy.some((one) => one.org === org) }
    const times = { asked: options.now, answered: Date.now(), until: options.now + options.leaseMs }
    say({ what: 'claimed', org, lane, token, by, ...times, ids: entries.map(({ id }) => id) })
  }
  return claimed
}
inbox.renew = async (lease, until) => {
  const asked = Date.now()
  const kept = await renew(lease, until)
  const { org, lane, token } = lease
  if (kept) say({ what: 'renewed', org, lane, token, asked, answered: Date.now(), until, ids: [] })
  return kept
}
inbox.settle = async (lease, settlements, ending) => {
  const asked = Date.now()
  const { org, lane, token } = lease
  // Printed before: killed in between, it may be given back or not, and no other replica may have heard of it.
  if (ending) say({ what: 'settled', org, lane, token, asked, answered: asked, until: asked, ids: [] })
  return settle(lease, settlements, ending)
}

const service = await openService(config, {
  store,
  log: openLog(config.logLevel),
  leaseMs: Number(process.argv[2]),
})
say({ what: 'listening', url: service.url })
process.once('SIGTERM', () => void service.close())
