/**
 * What can be done to one of an account's two destinations, in each of its states: what the person is told, what becomes of
 * it and what its audit has. The other destination and its lane are as they were, whatever is done.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { confirmKey } from '../../src/accounts/actions.ts'
import { configureAccount } from '../../src/accounts/add-account.ts'
import { changeWriteKey } from '../../src/accounts/change-key.ts'
import {
  addDestination,
  pauseDestination,
  removeDestination,
  renameDestination,
} from '../../src/accounts/destination-actions.ts'
import {
  changeDestination,
  type Destination,
  destinationOf,
  destinationState,
  destinationsOf,
} from '../../src/accounts/destinations.ts'
import { resumeDestinationNow, retryNow } from '../../src/accounts/retry.ts'
import { holdOf, gone as left, paused, questioned } from '../../src/accounts/state.ts'
import { fingerprintOf } from '../../src/accounts/write-key.ts'
import type { Install } from '../../src/storage/ports/accounts.ts'
import { org as orgId, type Stage, startStage, writeKey } from '../stage.ts'

const org = String(orgId)
const who = 'a person'
const another = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
const third = 'AaBbCcDdEeFfGgHhIiJjKkLlMmNnOo12'
const us = { region: 'us' } as const

type State = 'live' | 'paused' | 'refused' | 'endpoint_not_allowed' | 'leaving' | 'not_installed'

async function stageWith(state: State): Promise<Stage> {
  const stage = await startStage()
  const { accounts, clock } = stage
  if (state === 'not_installed') return stage
  await stage.install()
  const added = await addDestination(stage, org, { name: 'Staging', place: us, writeKey: another, who: 'the stage' })
  assert.equal(added.is, 'done')
  const change = (edit: (install: Install) => Install | undefined) => accounts.change(org, clock.now(), edit)
  if (state === 'paused') await pauseDestination(stage, org, 2, 'the stage')
  if (state === 'endpoint_not_allowed') await change((known) => changeDestination(known, 2, { endpoint: 'gone' }))
  if (state === 'leaving') await change(questioned)
  if (state === 'refused') {
    stage.sims.segment.forKey(another, { status: 401 })
    await stage.arrive('new_conversation')
    await stage.run()
    stage.sims.segment.forKey(another, undefined)
  }
  return stage
}

function stateOf(stage: Stage, number: number): string {
  const install = stage.accounts.get(org)
  const one = install && destinationOf(install, number)
  if (!install || !one) return 'gone'
  return holdOf(install, number) ?? one.reason ?? destinationState(one)
}

interface Action {
  does(stage: Stage): Promise<{ is: string; reason?: string }>
  /** In each state: what is told, the state that it is in then, and what the audit says, if anything. */
  comes: Readonly<Record<State, readonly [told: string, state: string, audit?: string]>>
}

const gone = ['gone', 'gone'] as const
const two = 'destination 2 (Staging)'
const setKey = `set the write key, ${two}: fingerprint #, region us`

const setKeyMoved = `${setKey} in place of endpoint gone`

const actions: Readonly<Record<string, Action>> = {
  'a person pauses it': {
    does: (stage) => pauseDestination(stage, org, 2, who),
    comes: {
      live: ['done', 'paused', `paused, ${two}`],
      paused: ['same', 'paused'],
      refused: ['done', 'paused', `paused, ${two}`],
      endpoint_not_allowed: ['done', 'paused', `paused, ${two}`],
      leaving: ['done', 'disconnecting', `paused, ${two}`],
      not_installed: gone,
    },
  },
  'a person resumes it': {
    does: (stage) => resumeDestinationNow(stage, org, 2, who),
    comes: {
      live: ['same', 'live'],
      paused: ['done', 'live', `resumed, ${two}`],
      refused: ['done', 'live', `resumed, ${two}`],
      endpoint_not_allowed: ['same', 'endpoint_not_allowed'],
      leaving: ['asked', 'disconnecting'],
      not_installed: gone,
    },
  },
  'a person wants what waits to be tried now': {
    does: (stage) => retryNow(stage, org, who, 2),
    comes: {
      live: ['done', 'live'],
      paused: ['held: paused', 'paused'],
      refused: ['done', 'segment_401', 'retried, destination 2'],
      endpoint_not_allowed: ['held: endpoint_not_allowed', 'endpoint_not_allowed'],
      leaving: ['held: disconnecting', 'disconnecting'],
      not_installed: gone,
    },
  },
  'a person saves another write key': {
    does: (stage) => changeWriteKey(stage, org, { destination: 2, writeKey: third, ...us, by: who }),
    comes: {
      live: ['saved', 'live', setKey],
      paused: ['saved', 'paused', setKey],
      refused: ['saved', 'live', setKey],
      endpoint_not_allowed: ['saved', 'live', setKeyMoved],
      leaving: ['saved', 'disconnecting', setKey],
      not_installed: gone,
    },
  },
  'a person renames it': {
    does: (stage) => renameDestination(stage, org, 2, { name: ' Test ', who }),
    comes: {
      live: ['done', 'live', `renamed a destination, ${two}: now Test`],
      paused: ['done', 'paused', `renamed a destination, ${two}: now Test`],
      refused: ['done', 'segment_401', `renamed a destination, ${two}: now Test`],
      endpoint_not_allowed: ['done', 'endpoint_not_allowed', `renamed a destination, ${two}: now Test`],
      leaving: ['done', 'disconnecting', `renamed a destination, ${two}: now Test`],
      not_installed: gone,
    },
  },
  'a person gives it the name of the other': {
    does: (stage) => renameDestination(stage, org, 2, { name: 'SEGMENT', who }),
    comes: {
      live: ['name_taken', 'live'],
      paused: ['name_taken', 'paused'],
      refused: ['name_taken', 'segment_401'],
      endpoint_not_allowed: ['name_taken', 'endpoint_not_allowed'],
      leaving: ['name_taken', 'disconnecting'],
      not_installed: gone,
    },
  },
  'a person removes it': {
    does: (stage) => removeDestination(stage, org, 2, who),
    comes: {
      live: ['done', 'gone', `removed a destination, ${two}`],
      paused: ['done', 'gone', `removed a destination, ${two}`],
      refused: ['done', 'gone', `removed a destination, ${two}`],
      endpoint_not_allowed: ['done', 'gone', `removed a destination, ${two}`],
      leaving: ['done', 'gone', `removed a destination, ${two}`],
      not_installed: gone,
    },
  },
}

describe('of two destinations, one is told, becomes and has in the audit what the table says, and the other is as it was', () => {
  for (const [what, { does, comes }] of Object.entries(actions))
    for (const [state, [told, then, audit]] of Object.entries(comes))
      test(`when ${what}, and it is ${state}`, async () => {
        const stage = await stageWith(state as State)
        const { storage, accounts } = stage
        const other = async () => [
          accounts.get(org) && destinationOf(accounts.get(org)!, 1),
          (await storage.lookup.lanes(org)).find(({ destination }) => destination === 1),
        ]
        const [before, earlier] = [await other(), await storage.audit.list(org, 99)]
        const done = await does(stage)
        assert.equal(done.reason === undefined ? done.is : `${done.is}: ${done.reason}`, told)
        assert.equal(stateOf(stage, 2), then)
        const added = (await storage.audit.list(org, 99)).slice(0, -earlier.length || undefined)
        const said = added.map((one) =>
          [one.what, ...(one.about ? [one.about] : [])].join(', ').replace(/fingerprint \w{8}/, 'fingerprint #'),
        )
        assert.deepEqual(said, audit === undefined ? [] : [audit])
        assert.deepEqual(await other(), before)
        await stage.close()
      })
})

describe('destinations', () => {
  const named = (stage: Stage) =>
    destinationsOf(stage.accounts.get(org)!).map(({ number, name }) => `${number} ${name}`)
  const add = (stage: Stage, n: number, more: object = {}) =>
    addDestination(stage, org, { name: `No. ${n}`, place: us, writeKey: `${third.slice(2)}${n}`, who, ...more })

  test('are ten at most, and one at least', async () => {
    const stage = await stageWith('live')
    for (let n = 3; n <= 10; n++) assert.equal((await add(stage, n)).is, 'done')
    assert.deepEqual(await add(stage, 11), { is: 'full' })
    for (let n = 1; n <= 9; n++) assert.equal((await removeDestination(stage, org, n, who)).is, 'done')
    assert.deepEqual(await removeDestination(stage, org, 10, who), { is: 'last' })
    assert.deepEqual(named(stage), ['10 No. 10'])
    await stage.close()
  })

  test('get no number that another one has had', async () => {
    const stage = await stageWith('live')
    await removeDestination(stage, org, 2, who)
    await add(stage, 3)
    assert.deepEqual(named(stage), ['1 Segment', '3 No. 3'])
    assert.deepEqual(await stage.storage.inbox.destinations(org), [1, 3])
    await stage.close()
  })

  test('begin paused where all others are: the person who paused the account is not overruled', async () => {
    const stage = await stageWith('live')
    await stage.accounts.change(org, stage.clock.now(), paused)
    await add(stage, 3)
    assert.equal(stateOf(stage, 3), 'paused')
    await stage.close()
  })

  test('of one account with the same write key at the same place are refused, when one is added and when one is changed', async () => {
    const stage = await stageWith('live')
    const endpoints = new Map([['rudder', 'http://127.0.0.1:1']])
    const needs = { ...stage, places: { us: 'http://us', eu: 'http://eu', endpoints } }
    const repeated = { code: 'destination_repeated' }
    const before = named(stage)
    await assert.rejects(add(stage, 3, { writeKey }), repeated)
    await assert.rejects(changeWriteKey(stage, org, { destination: 2, writeKey, ...us, by: who }), repeated)
    await assert.rejects(changeWriteKey(stage, org, { writeKey: another, ...us, by: who }), repeated)
    assert.deepEqual(named(stage), before)
    const changed = await changeWriteKey(stage, org, { destination: 2, writeKey, region: 'eu', by: who })
    assert.equal(changed.is, 'saved', 'another region is another place')
    const place = { region: 'us', endpoint: 'rudder' } as const
    assert.equal((await addDestination(needs, org, { name: 'Lake', place, writeKey, who })).is, 'done')
    await assert.rejects(addDestination(needs, org, { name: 'Lake 2', place, writeKey, who }), repeated)
    await assert.rejects(
      addDestination(needs, org, { name: 'Lost', place: { region: 'us', endpoint: 'lost' }, writeKey, who }),
      { code: 'endpoint_not_allowed' },
    )
    await stage.close()
  })

  test('are not known to show a test event where they send to now, once they send elsewhere', async () => {
    const stage = await stageWith('live')
    const confirmed = () => destinationOf(stage.accounts.get(org)!, 2)?.confirmedKey
    const fingerprint = fingerprintOf(another)
    const change = (more: object) => changeWriteKey(stage, org, { destination: 2, ...us, by: who, ...more })
    await confirmKey(stage, org, { destination: 2, fingerprint, place: us, who })
    await change({ writeKey: another })
    assert.equal(confirmed(), fingerprint, 'nothing has changed')
    for (const there of [{ region: 'eu' }, { writeKey: third }]) {
      await change(there)
      assert.equal(confirmed(), undefined)
      await change({ writeKey: another })
      await confirmKey(stage, org, { destination: 2, fingerprint, place: us, who })
    }
    const seen = { destination: 1, fingerprint: fingerprintOf(writeKey), who }
    assert.ok(await confirmKey(stage, org, { ...seen, place: us }))
    await configureAccount(stage, org, { region: 'eu' }, who)
    const first = () => destinationOf(stage.accounts.get(org)!, 1)?.confirmedKey
    assert.equal(first(), undefined)
    assert.equal(await confirmKey(stage, org, { ...seen, place: us }), false, 'it has moved since the test event')
    assert.equal(first(), undefined)
    await confirmKey(stage, org, { ...seen, place: { region: 'eu' } })
    await configureAccount(stage, org, { writeKey: third }, who)
    await configureAccount(stage, org, { writeKey }, who)
    assert.equal(first(), undefined, 'another key was there meanwhile')
    await confirmKey(stage, org, { ...seen, place: { region: 'eu' } })
    await stage.accounts.change(org, stage.clock.now(), left)
    assert.equal(first(), undefined, 'the account has left')
    await stage.close()
  })

  test('do not move from an endpoint to Segment under a key that cannot be one of Segment', async () => {
    const stage = await stageWith('live')
    const endpoints = new Map([['rudder', 'http://127.0.0.1:1']])
    const needs = { ...stage, places: { us: 'http://us', eu: 'http://eu', endpoints } }
    const rudder = { region: 'us', endpoint: 'rudder' } as const
    const move = (to: object) => changeWriteKey(needs, org, { destination: 1, ...us, by: who, ...to })
    await move({ ...rudder, writeKey: 'a.key/of+any~form' })
    const unusable = { code: 'write_key_unusable' }
    await assert.rejects(move(us), unusable)
    await assert.rejects(configureAccount(needs, org, { region: 'us' }, who), unusable)
    await move({ ...rudder, writeKey: 'short-one' })
    const moved = await move(us)
    assert.match(String(moved.is === 'saved' && moved.unusual), /mostly have 32 letters and digits/)
    await stage.close()
  })

  test('keep what another version has noted of them', async () => {
    const stage = await stageWith('live')
    const noted = { note: 'of later' } as Partial<Destination>
    await stage.accounts.change(org, stage.clock.now(), (known) => changeDestination(known, 2, noted))
    await renameDestination(stage, org, 2, { name: 'Test', who })
    assert.equal(destinationOf((await stage.storage.installs.get(org))!, 2)?.note, 'of later')
    await stage.close()
  })
})
