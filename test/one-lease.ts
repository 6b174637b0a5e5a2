/** One lease of the send lane under way, at a Segment that answers a request when the test says so. */
import assert from 'node:assert/strict'
import type { Answered, Send } from '../src/lib/request.ts'
import { addsUp, outcomesOf } from '../src/operations/totals.ts'
import { sendLease } from '../src/pipeline/send-lane.ts'
import type { Turn } from '../src/pipeline/worker.ts'
import type { Inbox } from '../src/storage/ports/inbox.ts'
import { eventually } from './clock.ts'
import { org, type Stage, startStage } from './stage.ts'

const ok = { status: 200, headers: {}, body: '{"success":true}' }
/** The contact of the fixture; the tests number contacts from there. */
const firstContact = 21_760_538_950

interface Going {
  /** The contacts of each request, in order. */
  requests: string[][]
  answer(request: number, answered?: Answered): void
  /** Events of these contacts come, one each, and the lease hears of it. */
  come(...contacts: number[]): Promise<void>
  /** What is under way in the event loop has its turn. */
  turn(): Promise<void>
  wake(anywhere: boolean): void
  ended: Promise<void>
}

export interface OneLease {
  stage: Stage
  /** How often the store was asked for more, and to settle, in order. */
  calls: ('more' | 'settle')[]
  /** How many requests' worth of entries the lease may have in hand. */
  shared: number
  arrive(...contacts: number[]): Promise<void>
  /** Claims what has arrived, and begins. */
  go(messagesMax?: number): Promise<Going>
  /** Begins again with an event that stands before all others in the queue, but is put there only when the answer is called. */
  hidden(contact: number): Promise<() => Promise<unknown>>
  stillWaiting(): Promise<number>
  close(): Promise<void>
}

export async function startOneLease(): Promise<OneLease> {
  let last = 0
  const id = String(org)

  function counted(inbox: Inbox): Inbox {
    const get = (port: Inbox, method: keyof Inbox) => {
      if (method === 'more' || method === 'settle') one.calls.push(method)
      return port[method]
    }
    return new Proxy(inbox, { get } as ProxyHandler<Inbox>)
  }

  const one: OneLease = {
    stage: await startStage(),
    calls: [],
    shared: 8,
    async arrive(...contacts) {
      for (const contact of contacts) await one.stage.arrive('new_conversation', { vary: ++last, contact })
    },
    async go(messagesMax = 500) {
      const answers: ((answered: Answered) => void)[] = []
      const requests: string[][] = []
      const send: Send = (request) => {
        const { batch } = JSON.parse(request.body!) as { batch: { anonymousId: string }[] }
        requests.push(batch.map(({ anonymousId }) => String(Number(anonymousId) - firstContact)))
        return new Promise((resolve) => answers.push(resolve))
      }
      let wake: Parameters<Turn['onWake']>[0] = () => {}
      const turn: Turn = {
        share: () => one.shared,
        away: (wait) => wait(),
        onWake(listener) {
          wake = listener
        },
      }
      const { needs, storage, claim } = one.stage
      const counting = { ...needs, storage: { ...storage, inbox: counted(storage.inbox) }, send, messagesMax }
      const ended = sendLease(counting, (await claim('send', messagesMax))!, turn)
      const pass = async () => {
        for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate)
      }
      await eventually(() => requests.length > 0)
      return {
        requests,
        answer: (request, answered = ok) => answers[request]!(answered),
        async come(...contacts) {
          await one.arrive(...contacts)
          wake(false)
          await pass()
        },
        turn: pass,
        wake: (anywhere) => wake(anywhere),
        ended,
      }
    },
    async hidden(contact) {
      await one.stage.close()
      one.stage = await startStage()
      await one.arrive(contact)
      const { inbox } = one.stage.storage
      const { claimOnInstall } = inbox
      inbox.claimOnInstall = async () => 0
      await one.stage.install()
      return () => claimOnInstall(id, one.stage.clock.now())
    },
    async stillWaiting() {
      const backlog = await one.stage.backlog()
      return backlog.filter(({ state }) => state === 'waiting').reduce((sum, { count }) => sum + count, 0)
    },
    async close() {
      const { ledger } = one.stage.storage
      assert.ok(addsUp(outcomesOf(await ledger.totals(), await ledger.backlog())))
      await one.stage.close()
    },
  }
  await one.stage.install()
  return one
}
