/**
 * Whatever webhooks, backfills, comparisons, erasures, new destinations and crashes come in which order: in the end each
 * destination has had each conversation, meeting and contact once. The clock is turned by the test; Drift is the simulator,
 * whose lists shift while they are read.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { engines, type Stores } from '../../../test/engines.ts'
import { begin, contact, conversation, id, work } from '../../../test/history.ts'
import { org, type Stage, startStage } from '../../../test/stage.ts'
import { conserved } from '../../storage/conformance.ts'
import { openStorage } from '../../storage/open.ts'
import type { Storage } from '../../storage/ports/storage.ts'
import { openInMemory } from '../../storage/sqlite/in-memory.ts'
import { erasePerson } from '../erase.ts'

const hourMs = 3_600_000
/** Conversations 2 to 7; those of one contact are of different ages, and two have a meeting. */
const contactOf = (n: number) => 10_000 + Math.floor(n / 2)
const numbers = [2, 3, 4, 5, 6, 7]
const withMeeting = [3, 6]

type Step =
  | { is: 'webhook'; n: number }
  | { is: 'meeting'; n: number }
  | { is: 'changed'; n: number }
  | { is: 'moves up'; n: number }
  | { is: 'erase'; n: number }
  | { is: 'destination' }
  | { is: 'history'; kind: 'backfill' | 'reconcile'; cut: ('killed' | 'stopped')[]; meanwhile: Step[] }

const n = fc.constantFrom(...numbers)
const small: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constant('webhook' as const), n }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('meeting' as const), n: fc.constantFrom(...withMeeting) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('changed' as const), n }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('moves up' as const), n }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('erase' as const), n }) },
  { weight: 1, arbitrary: fc.constant<Step>({ is: 'destination' }) },
)
const history: fc.Arbitrary<Step> = fc.record({
  is: fc.constant('history' as const),
  kind: fc.constantFrom('backfill' as const, 'backfill' as const, 'reconcile' as const),
  cut: fc.array(fc.constantFrom('killed' as const, 'stopped' as const), { maxLength: 2 }),
  meanwhile: fc.array(small, { maxLength: 4 }),
})
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: small }, { weight: 2, arbitrary: history }), {
  minLength: 2,
  maxLength: 6,
})

/** What destinations were given, as `2 new_conversation 5`, and what is known of the world beside it. */
class World {
  readonly given: string[] = []
  readonly erased = new Set<number>()
  destinations = 1
  readonly stage: Stage

  constructor(stage: Stage) {
    this.stage = stage
  }

  async take(step: Step): Promise<void> {
    const { stage } = this
    const { inbox } = stage.storage
    if (step.is === 'webhook') {
      const data = { ...conversation(stage, step.n, this.about(step.n)), orgId: org, participants: [] }
      await stage.arrive({ type: 'new_conversation', orgId: org, data })
    } else if (step.is === 'meeting')
      await stage.arrive({ type: 'new_meeting', orgId: org, data: this.meeting(step.n) })
    else if (step.is === 'changed') {
      const diff = [{ name: 'attributes.plan', previous: null, updated: `${stage.clock.now()}` }]
      const data = { endUserId: contactOf(step.n), timestamp: stage.clock.now(), orgId: org, diff }
      await stage.arrive({ type: 'contact_updated', orgId: org, data })
    } else if (step.is === 'moves up') {
      const moved = { ...conversation(stage, step.n, this.about(step.n)), updatedAt: stage.clock.now() }
      stage.sims.drift.addOrg({ orgId: org, conversations: [moved] })
    } else if (step.is === 'erase') {
      await erasePerson(
        { ...stage.storage, keyring: stage.keyring, clock: stage.clock },
        id,
        String(contactOf(step.n)),
        false,
      )
      this.erased.add(contactOf(step.n))
    } else if (step.is === 'destination' && this.destinations < 3) await inbox.addDestination(id, ++this.destinations)
    else if (step.is === 'history') await this.history(step)
  }

  /** Runs it; what happens meanwhile happens between Drift's answers. */
  async history({ kind, cut, meanwhile }: Extract<Step, { is: 'history' }>): Promise<void> {
    const { stage } = this
    const left = [...meanwhile]
    const doing: Promise<void>[] = []
    const next = () => {
      const step = left.shift()
      if (step) doing.push(this.take(step))
      return undefined
    }
    for (const path of ['/contacts/*', '/conversations/list'] as const) stage.sims.drift.script(path, next)
    const job = await begin(stage, kind)
    for (const cutOff of cut) {
      const before = stage.sims.drift.requests.length
      const when = () => stage.sims.drift.requests.length > before + 2
      const shown = await work(stage, job, { cutOff, when, parts: await stage.another() })
      if (shown.hasEnded) break
    }
    const isOver = (await stage.storage.jobs.get(job))!.endedAt !== undefined
    if (!isOver) assert.equal((await work(stage, job)).state, 'done')
    for (const path of ['/contacts/*', '/conversations/list'] as const) stage.sims.drift.script(path, undefined)
    await Promise.all(doing)
    for (const step of left) await this.take(step)
    await this.drain()
  }

  about(n: number) {
    return { contactId: contactOf(n), at: startedAt - n * hourMs }
  }

  meeting(n: number) {
    const at = startedAt - n * hourMs
    return {
      eventId: `m-${n}`,
      schedulerId: contactOf(n),
      conversationId: n,
      scheduledAt: at,
      slotStart: at,
      orgId: org,
    }
  }

  /** Gives out what waits, as the lanes do. */
  async drain(): Promise<void> {
    const { inbox } = this.stage.storage
    const now = this.stage.clock.now()
    for (;;) {
      const { leases } = await inbox.claim('send', { now, leaseMs: 60_000, limit: 100, bytesMax: 1e6, room: 8 })
      if (leases.length === 0) return
      for (const lease of leases) {
        for (const { type, conversation: of, contact: whose, messageId } of lease.entries)
          this.given.push(`${lease.destination} ${type} ${type === 'contact_updated' ? messageId : of} ${whose}`)
        const settlements = lease.entries.map((entry) => ({ id: entry.id, to: 'delivered' as const, at: now }))
        await inbox.settle(lease, settlements, { readyAt: now, failures: 0 })
      }
    }
  }
}

let startedAt = 0

async function holds(storage: Storage, taken: readonly Step[]): Promise<void> {
  const stage = await startStage(storage)
  try {
    startedAt = stage.clock.now()
    await stage.install()
    const world = new World(stage)
    const { drift } = stage.sims
    drift.settings.lists.meetingScopes = ['conversation_read']
    drift.settings.lists.odd.add('repeats').add('records')
    drift.addOrg({
      orgId: org,
      conversations: numbers.map((one) => conversation(stage, one, world.about(one))),
      contacts: numbers.map((one) => contact(contactOf(one))),
      meetings: withMeeting.map((one) => world.meeting(one)),
    })
    for (const step of taken) await world.take(step)
    await world.drain()
    const before = [...world.given]
    const end: Step = { is: 'history', kind: 'backfill', cut: [], meanwhile: [] }
    await world.take(end)
    judge(world, before)
    const settled = world.given.length
    await world.take(end)
    assert.equal(world.given.length, settled, 'a backfill more brings nothing more')
    await conserved(stage.storage)
    assert.deepEqual(await stage.storage.examine(), [])
  } finally {
    await stage.close()
    await storage.close()
  }
}

function judge({ given, erased, destinations }: World, before: readonly string[]): void {
  const events = given.filter((one) => !one.includes('contact_updated'))
  assert.deepEqual(events.length, new Set(events).size, `something was given twice: ${events.sort().join(', ')}`)
  for (let destination = 1; destination <= destinations; destination++)
    for (const one of numbers) {
      const whose = contactOf(one)
      const wanted = [
        `${destination} new_conversation ${one} ${whose}`,
        ...(withMeeting.includes(one) ? [`${destination} new_meeting ${one} ${whose}`] : []),
      ]
      for (const each of wanted)
        if (erased.has(whose)) assert.equal(given.includes(each), before.includes(each), `${each} of an erased person`)
        else assert.ok(given.includes(each), `${each} never came`)
      const read = given.filter(
        (each) => each.startsWith(`${destination} contact_updated drift-h-`) && each.endsWith(` ${whose}`),
      )
      const distinct = new Set(read)
      assert.equal(read.length, distinct.size, `the attributes of ${whose} were given twice`)
      if (!erased.has(whose)) assert.ok(distinct.size >= 1, `the attributes of ${whose} never came to ${destination}`)
    }
}

/** An engine that is a server is given fewer: each run has a database of its own. */
const numRuns = { inMemory: 12, onServer: 5 }

for (const { name, skip, start } of engines)
  describe(`on ${name}`, { skip }, () => {
    let stores: Stores
    before(async () => {
      stores = await start()
    })
    after(() => stores.close())

    test('whatever comes in which order, each destination is given each conversation, meeting and contact once', async () => {
      const isInMemory = name === 'sqlite'
      const open = async () => (isInMemory ? openInMemory() : openStorage(await stores.fresh(), 'serve'))
      const property = fc.asyncProperty(steps, async (taken) => holds(await open(), taken))
      await fc.assert(property, { numRuns: isInMemory ? numRuns.inMemory : numRuns.onServer, endOnFailure: false })
    })
  })
