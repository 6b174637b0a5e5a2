/** An account with several destinations, over the command line: Segment twice, and a data plane that speaks its API. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '../../src/lib/json.ts'
import type { DestinationOutcomes } from '../../src/operations/totals.ts'
import { type SegmentSim, startSegment } from '../../src/sim/index.ts'
import { eventually } from '../clock.ts'
import { closeCounted, org, type Rig, settled, startRig, writeKey } from '../rig.ts'

const id = String(org)
const stagingKey = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
const lakeKey = 'a.key/of+any~form'
const given = { org: id }

let rig: Rig
let plane: SegmentSim
beforeEach(async () => {
  plane = await startSegment({ isRudderStack: true, keys: [lakeKey] })
  rig = await startRig({ env: { DESTINATION_ENDPOINTS: `lake=${plane.url}` } })
})
afterEach(async () => {
  await plane.close()
  await closeCounted(rig)
})

const update = (n: number): JsonObject => ({
  type: 'contact_updated',
  orgId: org,
  data: { endUserId: 7, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }] },
})
const post = async (event: JsonObject) =>
  assert.equal((await rig.sims.drift.send(event, { to: rig.to, orgId: org })).status, 200)
const command = (name: string, more: Record<string, string | boolean> = {}, key?: string) => {
  const stdin = key === undefined ? {} : { stdin: JSON.stringify({ writeKey: key }) }
  return rig.command(`destinations ${name}`, { given: { ...given, ...more }, ...stdin })
}
const addStaging = () => command('add', { name: 'Staging' }, stagingKey)
const addLake = () => command('add', { name: 'Lake', endpoint: 'lake' }, lakeKey)
/** The numbers that each place has accepted, in order, and under which messageIds. */
const at = ({ accepted }: SegmentSim, key: string) => accepted.filter((one) => one.writeKey === key)
const ns = (sim: SegmentSim, key: string) => at(sim, key).map(({ message }) => (message.traits as JsonObject).n)
const ids = (sim: SegmentSim, key: string) => at(sim, key).map(({ message }) => String(message.messageId))
const check = async () =>
  JSON.parse((await rig.command('check', { given: { json: true } })).output) as {
    ok: boolean
    received: number
    delivered: number
    events: number
    destinations: (DestinationOutcomes & { name?: string })[]
  }

describe('several destinations of one account', () => {
  test('each get what is received from then on, under messageIds of their own, and the outcomes hold for each', async () => {
    await post(update(1))
    await settled(rig, ({ delivered }) => delivered === 1)
    assert.match((await addStaging()).output, /5000883: destination 2 \(Staging\): added/)
    assert.match((await addLake()).output, /5000883: destination 3 \(Lake\): added/)
    await post(update(2))
    await settled(rig, ({ delivered }) => delivered === 4)
    const [first, second] = ids(rig.sims.segment, writeKey)
    assert.deepEqual(ids(rig.sims.segment, stagingKey), [`${second}.2`])
    assert.deepEqual(ids(plane, lakeKey), [`${second}.3`])
    assert.equal(plane.requests[0]?.headers.authorization, `Basic ${Buffer.from(`${lakeKey}:`).toString('base64')}`)
    assert.ok(rig.sims.segment.requests.every(({ headers }) => headers.authorization === undefined))
    const { ok, received, delivered, events, destinations } = await check()
    assert.deepEqual([ok, received, delivered, events], [true, 4, 4, 2])
    const short = destinations.map((one) => [one.destination, one.name, one.received, one.delivered])
    assert.deepEqual(short, [
      [1, 'Segment', 2, 2],
      [2, 'Staging', 1, 1],
      [3, 'Lake', 1, 1],
    ])
    const listed = (await command('list')).output
    assert.match(listed, /^1 {2}Segment {2}live {2}region us {2}write key [0-9a-f]{8}\n {2}received 2, delivered 2/)
    assert.match(listed, /\n3 {2}Lake {2}live {2}endpoint lake {2}write key/)
    const { output } = await rig.command('inspect', { given: { message: `${second}.3` } })
    assert.match(output, new RegExp(`contact_updated of account ${id}: delivered\nmessageId ${second}\\.3\n`))
    assert.match(output, /at destination 3: lake answered 200/)
    const early = (await rig.command('inspect', { given: { message: first! } })).output
    assert.match(early, /at destination 2: not_given, messageId \S+\.2\n.*never given to this destination/)
  })

  test('do not wait for one whose requests hang, and it gets everything in order when it answers again', async () => {
    await addLake()
    plane.script({ hang: true })
    await post(update(1))
    await eventually(() => plane.requests.length === 1)
    for (let n = 2; n <= 50; n++) await post(update(n))
    await eventually(() => rig.sims.segment.accepted.length === 50)
    assert.equal(plane.requests[0]?.status, 0, 'it hangs still')
    const { destinations } = await check()
    assert.deepEqual(
      destinations.map(({ destination, delivered }) => [destination, delivered]),
      [
        [1, 50],
        [2, 0],
      ],
    )
    plane.script(undefined)
    await rig.restart()
    await settled(rig, ({ delivered }) => delivered === 100)
    const wanted = Array.from({ length: 50 }, (_, n) => n + 1)
    assert.deepEqual(ns(plane, lakeKey), wanted)
    assert.deepEqual(ns(rig.sims.segment, writeKey), wanted)
  })

  test('are paused, tried again and resumed one by one', async () => {
    await addStaging()
    await command('pause', { destination: 'staging' })
    await eventually(() => rig.service.store.accounts.get(id)?.generation === 3)
    await post(update(1))
    await settled(rig, ({ held, delivered }) => held === 1 && delivered === 1)
    assert.deepEqual([ns(rig.sims.segment, writeKey), ns(rig.sims.segment, stagingKey)], [[1], []])
    await assert.rejects(command('retry', { destination: '2' }), { code: 'not_retried' })
    const { exitCode, output } = await command('resume', { destination: '2' })
    assert.deepEqual([exitCode, output.split('\n').at(-1)], [0, `${id}, destination 2 (Staging): Segment accepted`])
    assert.deepEqual(ns(rig.sims.segment, stagingKey), [1])
  })

  test('let what waits expire when they are removed, once that is confirmed, and one always stays', async () => {
    await addStaging()
    await command('pause', { destination: 'Staging' })
    await eventually(() => rig.service.store.accounts.get(id)?.generation === 3)
    await post(update(1))
    await settled(rig, ({ held }) => held === 1)
    await assert.rejects(command('remove', { destination: 'Staging' }), (error: Error) =>
      /1 event waits for destination 2 \(Staging\)/.test(error.message),
    )
    const removed = await command('remove', { destination: 'Staging', yes: true })
    assert.equal(removed.output, `${id}: destination 2 (Staging): removed, 1 event expired`)
    assert.deepEqual([(await rig.outcomes()).expired, (await check()).ok], [1, true])
    await assert.rejects(command('remove', { destination: '1', yes: true }), { code: 'destination_last' })
    assert.match((await addStaging()).output, /destination 3 \(Staging\)/)
  })

  test('hold an endpoint that the settings do not list any more, and send what was kept when they do again', async () => {
    await addLake()
    const endpoints = rig.env.DESTINATION_ENDPOINTS!
    delete rig.env.DESTINATION_ENDPOINTS
    await rig.restart()
    await post(update(1))
    await settled(rig, ({ delivered, held }) => delivered === 1 && held === 1)
    const { output } = await rig.command('inspect', { given: { org: id, destination: 'Lake' } })
    assert.match(output, /endpoint_not_allowed/)
    assert.deepEqual(ns(rig.sims.segment, writeKey), [1])
    rig.env.DESTINATION_ENDPOINTS = endpoints
    await rig.restart()
    await settled(rig, ({ delivered }) => delivered === 2)
    assert.deepEqual(ns(plane, lakeKey), [1])
  })

  test('with one write key at one address are refused when one is saved, and at a start that gives two names one address', async () => {
    await assert.rejects(command('add', { name: 'Twin' }, writeKey), { code: 'destination_repeated' })
    await addLake()
    const other = await startSegment({ isRudderStack: true })
    rig.env.DESTINATION_ENDPOINTS = `lake=${plane.url},sea=${other.url}`
    await command('add', { name: 'Sea', endpoint: 'sea' }, lakeKey)
    rig.env.DESTINATION_ENDPOINTS = `lake=${plane.url},sea=${plane.url}`
    await rig.service.close()
    await assert.rejects(rig.restart(), { code: 'destination_repeated', exitCode: 78 })
    rig.env.DESTINATION_ENDPOINTS = `lake=${plane.url},sea=${other.url}`
    await rig.restart()
    await other.close()
  })

  test('are tried out one by one with a test event', async () => {
    await addLake()
    const segment = await command('test', { destination: '1' })
    assert.match(segment.output, /^taken, as Segment takes wrong keys too: look for drift-test-\S+ in/)
    const lake = await command('test', { destination: 'lake' })
    assert.match(lake.output, /^taken: look for drift-test-\S+ at lake$/)
    plane.keys.clear()
    plane.keys.add('another')
    const refused = await command('test', { destination: 'lake' })
    assert.equal(refused.exitCode, 1)
    assert.match(refused.output, /^not taken: .*\(segment_401\)/)
  })

  test('are not changed by a command that names neither a place nor a key, and the audit says nothing', async () => {
    const audit = () => rig.service.store.storage.audit.list(id, 100)
    const before = await audit()
    const nothing = { code: 'nothing_to_change', exitCode: 2 }
    await assert.rejects(command('change', { destination: '1' }), nothing)
    assert.deepEqual(await audit(), before)
  })
})

describe('redriving', () => {
  const redrive = (more: Record<string, string | boolean>) =>
    rig.command('redrive', { given: { as: 'repeat', org: id, ...more } })

  test('repeats what was delivered under the same messageId, or sends it as new under another, to one destination alone', async () => {
    await addStaging()
    await post(update(1))
    await settled(rig, ({ delivered }) => delivered === 2)
    const [own] = ids(rig.sims.segment, writeKey)
    const delivered = { state: 'delivered', destination: 'Staging' }
    const repeated = await redrive(delivered)
    assert.match(repeated.output, /keeps its messageIds: Segment drops what it has/)
    await eventually(() => rig.sims.segment.duplicates.length === 1)
    await settled(rig)
    for (const k of [1, 2]) {
      assert.match((await redrive({ ...delivered, as: 'new' })).output, /1 found, 1 wait to be sent again/)
      await settled(rig, ({ waiting }) => waiting === 0 && rig.sims.segment.accepted.length === 2 + k)
    }
    assert.deepEqual(ids(rig.sims.segment, stagingKey), [`${own}.2`, `${own}.2.r1`, `${own}.2.r2`])
    assert.deepEqual(ids(rig.sims.segment, writeKey), [own])
    const { output } = await rig.command('inspect', { given: { message: `${own}.2.r2`, data: true } })
    assert.match(output, new RegExp(`"messageId": "${own}\\.2\\.r2"`))
  })

  test('goes to every destination where it failed when none is named', async () => {
    await addStaging()
    rig.sims.segment.script(() => ({ refuseIf: ({ traits }) => (traits as JsonObject)?.n === 1 }))
    await post(update(1))
    await post(update(2))
    await settled(rig, ({ dead }) => dead === 2)
    rig.sims.segment.script(undefined)
    assert.match((await redrive({ dryRun: true })).output, /2 found, 2 would be sent again/)
    assert.match((await redrive({})).output, /2 found, 2 wait to be sent again/)
    await settled(rig, ({ delivered }) => delivered === 4)
  })

  test('gives a destination what came before it was added, only where that is asked for', async () => {
    for (const n of [1, 2, 3]) await post(update(n))
    await settled(rig, ({ delivered }) => delivered === 3)
    await addStaging()
    assert.match(
      (await redrive({ state: 'delivered', destination: 'Staging' })).output,
      /^0 found, 0 wait to be sent again/m,
    )
    assert.match(
      (await redrive({ state: 'not_given', destination: 'Staging' })).output,
      /3 found, 3 wait to be sent again/,
    )
    await settled(rig, ({ delivered }) => delivered === 6)
    assert.deepEqual(ns(rig.sims.segment, stagingKey), [1, 2, 3])
    await assert.rejects(redrive({ state: 'not_given' }), { code: 'filter_unusable' })
  })

  const conversation = (status: string): JsonObject => ({
    type: 'new_conversation',
    orgId: org,
    data: { contactId: 7, id: 1_234, status, createdAt: 1_714_419_312_000 },
  })

  test('gives a conversation that was sent there later only once, whichever way it comes again', async () => {
    await post(conversation('open'))
    await settled(rig, ({ delivered }) => delivered === 1)
    await addStaging()
    await redrive({ state: 'not_given', destination: 'Staging' })
    await settled(rig, ({ delivered }) => delivered === 2)
    await post(conversation('closed'))
    await settled(rig, ({ duplicates }) => duplicates === 1)
    assert.equal(ids(rig.sims.segment, stagingKey).length, 1)
  })

  test('says why one stays of which the destination has had the same conversation by another event', async () => {
    await post(conversation('open'))
    await settled(rig, ({ delivered }) => delivered === 1)
    await addStaging()
    await post(conversation('closed'))
    await settled(rig, ({ delivered }) => delivered === 2)
    const { output } = await redrive({ state: 'not_given', destination: 'Staging' })
    assert.match(output, /1 found, 0 wait .*\n {2}1 stays as it is: the destination has had the same by another event/)
  })
})
