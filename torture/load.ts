/** What Drift sends: a seeded mixture of events of some accounts and contacts, and now and then the same one again. */
import type { Sims } from '../src/sim/index.ts'
import { seeded } from '../test/clock.ts'
import { type Kind, kinds, respelled, type Webhook } from './events.ts'
import type { Ledger } from './ledger.ts'

export interface LoadOptions {
  /** Posting at once. */
  senders?: number
  perSecond?: number
  /** How often each kind of event comes, in parts. */
  mix?: Partial<Record<Kind, number>>
  /** Whose events, each as often as the others; an account may stand there more than once. */
  orgs?: readonly string[]
  /** How many of a hundred posts say something again that was said before. */
  repeats?: number
}

export interface Load {
  /** Goes on until stopped; replaces what went on before. */
  start(options?: LoadOptions): void
  stop(): void
  /** Stops, and resolves when every answer is there. */
  finish(): Promise<void>
  /** Posts a new event and resolves to whether it was answered 200. */
  say(kind: Kind, org: string, contact?: number): Promise<boolean>
  /** Posts what was said before once more. */
  again(webhook: Webhook): Promise<boolean>
  /** A webhook that was not posted yet. */
  make(kind: Kind, org: string, contact?: number): Webhook
  /** Posts what was never answered 200 until it is, or that long. */
  repost(forMs?: number): Promise<void>
}

export const usualMix: Partial<Record<Kind, number>> = {
  begun: 30,
  updated: 25,
  clicked: 15,
  asked: 14,
  met: 4,
  foreign: 4,
  poisoned: 2,
  shapeless: 2,
  oversized: 1,
}
const contactsOfAnAccount = 6
/** So many of what was said last may be said again. */
const rememberedMax = 500

interface Needs {
  ledger: Ledger
  accounts: readonly { org: string }[]
  to: () => string
  sims: Sims
  seed: number
}

export function openLoad({ ledger, accounts, to, sims, seed }: Needs): Load {
  const fraction = seeded(seed)
  const below = (count: number) => Math.floor(fraction() * count)
  const remembered: Webhook[] = []
  const unanswered = new Map<string, Webhook>()
  let lastNumber = 0
  let round = 0
  let running: Promise<unknown> = Promise.resolve()

  function make(kind: Kind, org: string, contact = below(contactsOfAnAccount)): Webhook {
    const webhook: Webhook = kinds[kind](org, contact, ++lastNumber)
    const { conversation } = webhook
    if (conversation) sims.drift.addOrg({ orgId: Number(org), conversations: [conversation] })
    return webhook
  }

  async function post(webhook: Webhook, body = webhook.body): Promise<boolean> {
    const answered = ledger.post(webhook)
    const { status } = await sims.drift.send(body, { to: `${to()}/webhooks/drift` })
    answered(status === 200)
    if (ledger.isKept(webhook.mark)) unanswered.delete(webhook.mark)
    else if (webhook.mayRepeat) unanswered.set(webhook.mark, webhook)
    return status === 200
  }

  function start({ senders = 12, perSecond = 300, mix = usualMix, orgs, repeats = 5 }: LoadOptions = {}): void {
    const mine = ++round
    const bag = Object.entries(mix).flatMap(([kind, parts]) => Array<Kind>(parts).fill(kind as Kind))
    const before = running
    const everyMs = (senders * 1_000) / perSecond
    const sender = async () => {
      let next = performance.now() + fraction() * everyMs
      while (mine === round) {
        await new Promise((resolve) => setTimeout(resolve, Math.max(next - performance.now(), 0)))
        next = Math.max(next + everyMs, performance.now() - 1_000)
        if (mine !== round) return
        const old = fraction() * 100 < repeats ? remembered[below(remembered.length)] : undefined
        if (old) await post(old, fraction() < 0.5 ? old.body : respelled(old.body))
        else {
          const whose = orgs ?? accounts.map(({ org }) => org)
          const webhook = make(bag[below(bag.length)]!, whose[below(whose.length)]!)
          await post(webhook)
          if (webhook.mayRepeat) remembered[below(rememberedMax)] = webhook
        }
      }
    }
    running = Promise.all([before, ...Array.from({ length: senders }, sender)])
  }

  return {
    start,
    stop: () => void round++,
    async finish() {
      round++
      await running
    },
    make,
    say: (kind, org, contact) => post(make(kind, org, contact)),
    again: (webhook) => post(webhook),
    async repost(forMs = 30_000) {
      const giveUpAt = performance.now() + forMs
      while (unanswered.size > 0 && performance.now() < giveUpAt) {
        await Promise.all([...unanswered.values()].slice(0, 32).map((webhook) => post(webhook)))
      }
    },
  }
}
