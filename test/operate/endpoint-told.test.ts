/** What the command line says of an endpoint in Segment's place, and of what it is not given. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type SegmentSim, startSegment } from '../../src/sim/index.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, startRig } from '../rig.ts'

const lakeKey = 'a.key/of+any~form'
const given = { org: String(org) }

let rig: Rig
let plane: SegmentSim
beforeEach(async () => {
  plane = await startSegment({ isRudderStack: true, keys: [lakeKey] })
  rig = await startRig({ env: { DESTINATION_ENDPOINTS: `lake=${plane.url}` } })
})
afterEach(async () => {
  await rig.close()
  await plane.close()
})

const command = (name: string, more: Record<string, string | boolean> = {}, key?: string) => {
  const stdin = key === undefined ? {} : { stdin: JSON.stringify({ writeKey: key }) }
  return rig.command(`destinations ${name}`, { given: { ...given, ...more }, ...stdin })
}
const addLake = () => command('add', { name: 'Lake', endpoint: 'lake' }, lakeKey)

describe('destinations', () => {
  test('have what an endpoint answered told as its own, wherever an operator looks, and not as Segment’s', async () => {
    await addLake()
    plane.script({ status: 401, body: 'who are you' })
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    const run = async (name: string, more: object = {}) =>
      (await rig.command(name, { given: { ...given, ...more } })).output
    await eventually(async () => (await command('list')).output.includes('lake does not accept the write key (401)'))
    const says = 'lake does not accept the write key (401)'
    const todo = 'check the write key with those who run lake, save it again, or resume sending'
    const told = {
      'destinations list': await run('destinations list'),
      'destinations test': await run('destinations test', { destination: 'lake' }),
      'installs list': await run('installs list'),
      inspect: await run('inspect', { destination: 'lake' }),
      'inspect, at the first': await run('inspect'),
    }
    for (const [where, output] of Object.entries(told)) {
      assert.ok(output.includes(says) && output.includes(todo), `${where}: ${output}`)
      assert.doesNotMatch(output, /Segment (does not accept|answered 401)/, where)
    }
    assert.match(told['installs list'], /comes from: what lake answered/)
    assert.match(told['installs list'], /it has 2 destinations: `destinations list --org 5000883`/)
    assert.match(told.inspect, /not delivered at destination 2: lake answered 401, sent alone.*; it said: who are you/)
    assert.match(told.inspect, /delivered at destination 1: Segment answered 200/)
    assert.match(
      await run('destinations retry', { destination: 'lake' }),
      /lake does not accept the write key \(401\); next attempt/,
    )
    plane.script(undefined)
    await command('remove', { destination: 'lake', yes: true })
    const left = await run('inspect')
    assert.match(left, /not delivered at destination 2: the destination answered 401/)
    assert.doesNotMatch(left, /destination 2: (Segment|lake) answered/)
  })

  test('say what is missing when a command is not told it', async () => {
    const said = (name: string, more: Record<string, string | boolean>, stdin = '') =>
      rig.command(`destinations ${name}`, { given: { ...given, ...more }, stdin }).then(
        () => '',
        (error: Error & { hint?: string }) => `${error.message}; ${error.hint}`,
      )
    const alone = 'give a JSON object with the write key alone: {"writeKey":"…"}'
    assert.equal(await said('add', { name: 'Lake', endpoint: 'lake' }), `standard input is empty; ${alone}`)
    assert.equal(
      await said('add', { name: 'Lake', endpoint: 'lake' }, 'x'),
      `standard input is not a JSON object; ${alone}`,
    )
    assert.match(
      await said('add', { name: 'Lake', endpoint: 'lake' }, '{"writeKey":"two words"}'),
      /holds a space.*; copy it again: those who run lake give it$/,
    )
    assert.match(await said('resume', { destination: '1' }), /destination 1 \(Segment\) is neither paused nor refused/)
  })

  test('take a key with a colon for an endpoint, with a remark on what a reader of Authorization: Basic makes of it', async () => {
    const { exitCode, output } = await command('add', { name: 'Lake', endpoint: 'lake' }, 'user:secret')
    assert.equal(exitCode, 0)
    assert.match(output, /look again: it has a colon/)
  })
})
