/**
 * A person is erased by a command, another process than the services that hold their events in memory, while these are
 * killed and Segment is slow or away. Afterwards nothing of that person is sent, nor found in the files of the store.
 */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Received, SegmentAction } from '../../src/sim/index.ts'
import type { Kind } from '../events.ts'
import { lasting, type Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

/** Of no other load: the numbers of its contacts are smaller. */
const firstContact = 700
const kindsOfOne: readonly Kind[] = ['begun', 'updated', 'clicked']
/** A request that was under way when erasing answered has arrived by then, through our proxies and on a busy machine. */
const underWayMs = 500
const restMs = 30_000

type Mood = (request: Received) => SegmentAction

/** What is waited for before the person is erased, and what happens while they are. */
interface Surroundings {
  first?(world: World, contact: string): Promise<void>
  meanwhile?(world: World): Promise<void>
}

function isOneMessage(body: string): boolean {
  return (JSON.parse(body) as { batch: unknown[] }).batch.length === 1
}

export const erasing: Scenario[] = [
  {
    name: 'a person is erased by another process amid kills and retries',
    rows: ['F34'],
    async run(world) {
      const moods: Mood[] = [
        () => ({ status: 503 }),
        () => ({ delayMs: world.whole(50, 400) }),
        () => (world.fraction() < 0.5 ? { reset: 'after' } : { delayMs: world.whole(0, 300) }),
      ]
      // So that the parts of one refused batch are still being sent when erasing answers; the holder lives on.
      const inParts: Mood = ({ body }) => (isOneMessage(body) ? { delayMs: 300 } : { status: 400, delayMs: 1_200 })
      let erased = 0
      let next = firstContact + world.ledger.said.size
      for (const mood of moods) erased += await eraseAmid(world, mood, next++, { meanwhile: killOne })
      await atRest(world)
      erased += await eraseAmid(world, inParts, next++, { first: isBeingSent })
      world.load.start()
      return `${erased} events of ${moods.length + 1} persons erased`
    },
  },
]

async function eraseAmid(
  world: World,
  mood: Mood,
  person: number,
  { first, meanwhile }: Surroundings,
): Promise<number> {
  const { org } = world.pick(world.accounts)
  world.segment(mood)
  const theirs = Array.from({ length: 30 }, (_, n) => world.load.make(kindsOfOne[n % 3]!, org, person))
  const { contact } = theirs[0]!
  // Among the others is one that Segment refuses, so that a batch is sent in ever smaller parts.
  const poison = world.load.say('poisoned', org)
  await Promise.all([poison, ...theirs.map((webhook) => world.load.again(webhook))])
  const needles = [contact, ...sealedOf(world, org, contact)]
  for (const { mark } of theirs) world.ledger.erased(mark)

  await first?.(world, contact)
  const others = meanwhile?.(world)
  const { output } = await world.command('erase', { given: { org, contact } })
  await lasting(underWayMs)
  const before = world.sims.segment.requests.length
  await others
  // Drift posts again what it has no answer to, and some of what was answered.
  for (const webhook of theirs.filter(({ mark }) => world.ledger.isKept(mark)).slice(0, 5))
    await world.load.again(webhook)
  await unfound(world, needles)
  world.normally()
  await atRest(world)
  world.load.start()
  const sent = world.sims.segment.requests.slice(before).filter(({ body }) => body.includes(contact))
  if (sent.length > 0) throw new Error(`${sent.length} requests with an erased person's events after erasing answered`)
  const { output: left } = await world.command('inspect', { given: { org, contact, json: true } })
  if (left.includes(contact)) throw new Error(`what was erased is still shown: ${left.slice(0, 200)}`)
  await unfound(world, needles)
  return Number(/^(\d+) events erased/m.exec(output)?.[1])
}

/** Waits until a request has several of the person's events: its parts are still to be sent. */
async function isBeingSent({ sims }: World, contact: string): Promise<void> {
  const giveUpAt = performance.now() + 20_000
  const isThere = ({ body }: Received) => body.split(contact).length > 8
  while (!sims.segment.requests.some(isThere)) {
    if (performance.now() > giveUpAt) throw new Error('nothing of the person was being sent: nothing was shown')
    await lasting(20)
  }
}

async function killOne(world: World): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await lasting(world.whole(0, 900))
    await world.service().kill()
    await world.start()
  }
}

/** Until nothing of what was posted waits any more, as a backoff would make it. */
async function atRest(world: World): Promise<void> {
  await world.load.finish()
  const giveUpAt = performance.now() + restMs
  while ((await world.outcomes()).waiting > 0 && performance.now() < giveUpAt) {
    world.skip(5_000)
    await lasting(200)
  }
}

/**
 * What tells the person's rows apart in the bytes of an SQLite file: messageIds, and of each sealed body that has a text of
 * theirs a piece: it is sealed again without that text.
 */
function sealedOf({ engine, folder }: World, org: string, contact: string): (string | Buffer)[] {
  if (engine.name !== 'sqlite') return []
  const db = new DatabaseSync(storeIn(folder), { readOnly: true })
  try {
    const sql = `SELECT e.message_id, b.sealed FROM entries e JOIN bodies b ON b.id = e.id - e.id % 128
                 WHERE e.org = ? AND e.contact = ?`
    return db
      .prepare(sql)
      .all(org, contact)
      .flatMap((row) => [String(row.message_id), Buffer.from(row.sealed as Uint8Array).subarray(-24)])
  } finally {
    db.close()
  }
}

/** Looks through the bytes of the file, its log, and a backup that is made now. */
async function unfound(world: World, needles: readonly (string | Buffer)[]): Promise<void> {
  if (world.engine.name !== 'sqlite') return
  const copy = join(world.folder, 'erased.db')
  await world.command('backup', { args: [copy] })
  const path = storeIn(world.folder)
  for (const file of [path, `${path}-wal`, copy].filter((name) => existsSync(name))) {
    const bytes = await readFile(file)
    const found = needles.filter((needle) => bytes.includes(needle)).length
    if (found > 0) throw new Error(`${found} of ${needles.length} pieces of what was erased are in ${file}`)
  }
  await rm(copy)
}

function storeIn(folder: string): string {
  return join(folder, 'test.db')
}
