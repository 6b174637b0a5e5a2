/**
 * An account's history is brought in from lists that are long, shift and are odd, while webhooks of the same conversations and
 * meetings come, a person is erased, and services are killed. It has a world of its own: what it sends was never posted, so
 * the ledger of the others could not judge it. Here each conversation, meeting and contact is counted by its id.
 */
import { readFile } from 'node:fs/promises'
import type { JsonObject } from '../../src/lib/json.ts'
import type { Action, Received } from '../../src/sim/index.ts'
import { lasting, type Scenario } from '../scenario.ts'
import { openWorld, type World } from '../world.ts'

const org = '5200001'
const conversationsMany = 20_000
const contactsMany = 120
/** More than one answer of Drift has, so that their time is cut in pieces. */
const meetingsMany = 1_200
const kills = 10
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const firstConversation = 4_000_000_000
const firstContact = 30_000_000_000
/** Conversations of webhooks alone, which Drift does not list. */
const firstLive = 5_000_000_000
/** The service's hours pass so fast while it is killed: 20,000 conversations take a quarter of an hour at Drift's limits. */
const speed = 10
/** Real time that all of it may take. */
const patienceMs = 300_000

const meetingId = (n: number) => `meeting-${n}`
const contactOf = (n: number) => firstContact + (n % contactsMany)
/** Gone at Drift: their conversations come without attributes. */
const isGone = (contact: number) => contact % 40 === 7
const erased = firstContact + 11
const oddities = ['records', 'repeats', 'empty_pages', 'loop', 'foreign_next', 'no_times', 'no_contact'] as const

export const bringingHistory: Scenario[] = [
  {
    name: 'history is brought in from lists that shift, amid webhooks, an erasure and kills',
    rows: ['F37'],
    async run(other) {
      await other.load.finish()
      const world = await openWorld(other.whole(1, 2 ** 30), other.engine.name)
      try {
        return await bringIn(world)
      } finally {
        await world.close()
      }
    },
  },
]

async function bringIn(world: World): Promise<string> {
  const { drift } = world.sims
  const startedAt = Date.now()
  const conversation = (n: number): JsonObject => {
    const createdAt = startedAt - 2 * hourMs - n * minuteMs
    return {
      id: firstConversation + n,
      contactId: contactOf(n),
      status: 'open',
      inboxId: 7,
      createdAt,
      updatedAt: createdAt,
    }
  }
  const meeting = (n: number): JsonObject => ({
    eventId: meetingId(n),
    schedulerId: contactOf(n),
    conversationId: firstConversation + n,
    status: 'ACTIVE',
    scheduledAt: startedAt - 2 * hourMs - n * minuteMs,
    // From 25 days ago to 16 days from now.
    slotStart: startedAt - 25 * dayMs + n * 50 * minuteMs,
  })
  const numbers = Array.from({ length: conversationsMany }, (_, n) => n)
  drift.settings.lists.meetingScopes = ['conversation_read']
  const contacts = Array.from({ length: contactsMany }, (_, n) => firstContact + n).filter((one) => !isGone(one))
  drift.addOrg({
    orgId: Number(org),
    conversations: numbers.map(conversation),
    meetings: numbers.slice(0, meetingsMany).map(meeting),
    contacts: contacts.map((one) => ({ id: one, createdAt: 1, attributes: { name: `Visitor ${one}`, tags: [] } })),
  })
  await world.install(org, 'HistoryKeyAbCdEfGhIjKlMnOpQrStUv')
  await world.start()

  const alone = await leastOfLive(world)
  const asked: { at: number; untilMs: number }[] = []
  const record = (request: Received, action: Action = {}): Action => {
    asked.push({ at: request.receivedAt, untilMs: action.delayMs ?? 0 })
    return action
  }
  drift.script('/conversations/list', (request) => record(request))
  for (const path of others) drift.script(path, (request) => record(request, { delayMs: world.whole(0, 900) }))
  const { output } = await world.command('backfill', { given: { org, detach: true, json: true } })
  const { job } = JSON.parse(output) as { job: string }
  const beside = await leastOfLive(world)
  await handOver(world)
  const pace = paceOf(asked)
  // A disk may take a quarter of a second by itself.
  if (beside > 1.5 * alone + 250) throw new Error(`p99 of live events ${beside} ms beside it, and ${alone} ms alone`)

  world.speed(speed)
  const moody = (): Action => (world.fraction() < 0.03 ? { status: 429, headers: { 'retry-after': '2' } } : {})
  for (const path of ['/conversations/list', ...others]) drift.script(path, moody)
  const late: Promise<unknown>[] = []
  let erasedAt = 0
  for (let round = 0; round < kills; round++) {
    drift.settings.lists.odd.clear()
    for (const oddity of oddities)
      if (world.fraction() < (oddity === 'no_contact' ? 0.3 : 0.7)) drift.settings.lists.odd.add(oddity)
    // Some are updated, so that they stand at the top; of some a webhook comes after all.
    for (let n = 0; n < 10; n++) {
      const moved = conversation(world.whole(0, conversationsMany - 1))
      drift.addOrg({ orgId: Number(org), conversations: [{ ...moved, updatedAt: Date.now() }] })
      const other = world.whole(0, conversationsMany - 1)
      if (contactOf(other) !== erased) late.push(post(world, 'new_conversation', conversation(other)))
      const booked = world.whole(0, meetingsMany - 1)
      if (n < 3 && contactOf(booked) !== erased) late.push(post(world, 'new_meeting', meeting(booked)))
    }
    await lasting(world.whole(300, 1_800))
    if (round === 4) erasedAt = await erase(world)
    await world.service().kill()
    await world.start()
  }
  drift.settings.lists.odd.clear()
  await Promise.all(late)
  const giveUpAt = performance.now() + patienceMs
  while (!(await hasEnded(world, job)) && performance.now() < giveUpAt) await lasting(500)
  for (const path of ['/conversations/list', ...others]) drift.script(path, undefined)
  while ((await world.outcomes()).waiting > 0 && performance.now() < giveUpAt) {
    world.skip(5_000)
    await lasting(200)
  }
  await judge(world, { job, contacts, erasedAt })
  return `${conversationsMany} conversations, ${meetingsMany} meetings, ${kills} kills, ${world.engine.replicas} replicas; at most ${pace.aSecond} requests in a second and ${pace.atOnce} at once; p99 of live events ${beside} ms beside it, ${alone} ms alone`
}

/** What history asks beside the list of conversations. */
const others = ['/contacts/*', '/conversations/*', '/users/meetings/org', '/reports/conversations']

/** Each replica stops in turn, so that another process goes on with the job: at Drift that must not be noticed. */
async function handOver(world: World): Promise<void> {
  for (let turn = 0; turn < world.engine.replicas; turn++) {
    await world.services()[0]!.stop()
    await world.start()
    await lasting(6_000)
  }
  const log = await readFile(world.log, 'utf8')
  if (!/"goesOn":true.*"job_begun"/.test(log)) throw new Error('no other process went on with the job')
}

/** Webhooks are answered 503, or not at all, while services start: Drift tries again. */
async function post(world: World, type: string, data: JsonObject): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const body = { type, orgId: Number(org), data: { ...data, orgId: Number(org) } }
    const { status } = await world.sims.drift.send(body, { to: `${world.proxies.front.url}/webhooks/drift` })
    if (status === 200) return
    await lasting(200)
  }
  throw new Error('a webhook was never answered 200')
}

let live = 0

/** The least of three rounds: in the others services were just started, or the machine was busy with something else. */
async function leastOfLive(world: World): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < 3; round++) rounds.push(await liveMs(world))
  return Math.min(...rounds)
}

/** Of 200 webhooks, 50 a second, the time from the post to Segment that 99 of 100 take at most. */
async function liveMs(world: World): Promise<number> {
  const { segment } = world.sims
  const posted = new Map<number, number>()
  const posts: Promise<void>[] = []
  for (let n = 0; n < 200; n++) {
    const id = firstLive + ++live
    posted.set(id, Date.now())
    posts.push(
      post(world, 'new_conversation', {
        id,
        contactId: firstContact + 500 + (n % 50),
        status: 'open',
        createdAt: Date.now(),
      }),
    )
    await lasting(20)
  }
  await Promise.all(posts)
  const giveUpAt = performance.now() + 20_000
  const found = new Map<number, number>()
  while (found.size < posted.size && performance.now() < giveUpAt) {
    await lasting(50)
    for (const { message, receivedAt } of segment.accepted) {
      const id = Number((message.properties as JsonObject | undefined)?.id)
      if (posted.has(id)) found.set(id, receivedAt)
    }
  }
  if (found.size < posted.size)
    throw new Error(`${posted.size - found.size} live events did not come to Segment in 20 s`)
  const times = [...posted].map(([id, at]) => found.get(id)! - at).sort((one, other) => one - other)
  return times[Math.floor(times.length * 0.99)]!
}

/** At most five a second and four at once, over all replicas. Five seconds are looked at, since none is exact. */
function paceOf(asked: readonly { at: number; untilMs: number }[]): { aSecond: number; atOnce: number } {
  const within = (ms: number) =>
    Math.max(0, ...asked.map(({ at }) => asked.filter((one) => one.at >= at && one.at < at + ms).length))
  const atOnce = Math.max(
    0,
    ...asked.map(({ at }) => asked.filter((one) => one.at <= at && at < one.at + one.untilMs).length),
  )
  if (asked.length < 20) throw new Error(`only ${asked.length} requests to Drift: nothing was shown`)
  if (within(5_000) > 25) throw new Error(`${within(5_000)} requests to Drift in five seconds`)
  if (atOnce > 4) throw new Error(`${atOnce} requests to Drift at once`)
  return { aSecond: within(1_000), atOnce }
}

/** How many requests Segment had had when the person was erased. */
async function erase(world: World): Promise<number> {
  await world.command('erase', { given: { org, contact: String(erased) } })
  // A request that was under way when erasing answered has arrived by then.
  await lasting(500)
  return world.sims.segment.requests.length
}

async function hasEnded(world: World, job: string): Promise<boolean> {
  const { output } = await world.command('jobs show', { args: [job], given: { json: true } })
  return (JSON.parse(output) as { endedAt?: string }).endedAt !== undefined
}

interface Brought {
  job: string
  contacts: readonly number[]
  erasedAt: number
}

async function judge(world: World, { job, contacts, erasedAt }: Brought): Promise<void> {
  const { segment } = world.sims
  const broken: string[] = []
  const tracks = new Map<number, number>()
  const booked = new Map<string, number>()
  const identified = new Map<string, number>()
  for (const { message } of segment.accepted) {
    const { id, eventId } = (message.properties ?? {}) as { id?: number; eventId?: string }
    if (message.event === 'Drift Source Event: new_meeting' && eventId !== undefined)
      booked.set(eventId, (booked.get(eventId) ?? 0) + 1)
    if (message.event === 'Drift Source Event: new_conversation' && id !== undefined)
      tracks.set(id, (tracks.get(id) ?? 0) + 1)
    if (message.type === 'identify') {
      const whose = String(message.anonymousId)
      identified.set(whose, (identified.get(whose) ?? 0) + 1)
    }
  }
  const twice = [...tracks].filter(([, count]) => count > 1)
  if (twice.length > 0) broken.push(`${twice.length} conversations more than once, such as ${twice[0]![0]}`)
  const missing = Array.from({ length: conversationsMany }, (_, n) => n).filter(
    (n) => contactOf(n) !== erased && !tracks.has(firstConversation + n),
  )
  if (missing.length > 0)
    broken.push(`${missing.length} conversations never came, such as ${firstConversation + missing[0]!}`)
  const oddMeetings = Array.from({ length: meetingsMany }, (_, n) => n).filter(
    (n) => contactOf(n) !== erased && booked.get(meetingId(n)) !== 1,
  )
  if (oddMeetings.length > 0)
    broken.push(
      `${oddMeetings.length} meetings not exactly once, such as ${oddMeetings[0]}: ${booked.get(meetingId(oddMeetings[0]!))}`,
    )
  const odd = contacts.filter((one) => one !== erased && identified.get(String(one)) !== 1)
  if (odd.length > 0)
    broken.push(`${odd.length} contacts not exactly once, such as ${odd[0]}: ${identified.get(String(odd[0]))}`)
  const sent = segment.requests.slice(erasedAt).filter(({ body }) => body.includes(`"${erased}"`))
  if (sent.length > 0) broken.push(`${sent.length} requests with an erased person after erasing had answered`)
  const { exitCode, output } = await world.command('check', { given: { json: true } })
  if (exitCode !== 0) broken.push(`check: ${output}`)
  const { waiting } = JSON.parse(output) as { waiting: number }
  if (waiting > 0) broken.push(`${waiting} still wait`)
  const shown = await world.command('jobs show', { args: [job], given: { json: true } })
  if ((JSON.parse(shown.output) as { state: string }).state !== 'done') broken.push(`the job: ${shown.output}`)
  if (broken.length > 0) throw new Error(broken.join('; '))
}
