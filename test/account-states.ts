/**
 * An account in any of its states, for test/account-table.ts: it comes into each as it does in the service, and once, from
 * where every test of that state goes on.
 */
import assert from 'node:assert/strict'
import { pauseAccount } from '../src/accounts/actions.ts'
import { changeDestination } from '../src/accounts/destinations.ts'
import { grantFields } from '../src/accounts/grant.ts'
import { sealWriteKey } from '../src/accounts/write-key.ts'
import type { Install } from '../src/storage/ports/accounts.ts'
import {
  down,
  failed,
  json,
  lostEndpoint,
  madeUnreadable,
  newSaved,
  openWorld,
  org,
  own,
  type Partners,
  page,
  type Saved,
  type World,
  well,
} from './account-stage.ts'
import { writeKey } from './stage.ts'

const hour = 3_600_000

/** What a partner says that ends in an account being refused for this reason. */
const refusals: Readonly<Record<string, Partial<Partners>>> = {
  write_key_unreadable: {},
  segment_unheard_of: { batch: page(401) },
  write_key_refused: { batch: json(400, { message: 'An invalid write key was provided' }) },
  segment_401: { batch: page(401) },
  segment_403: { batch: page(403) },
  segment_404: { batch: page(404) },
  segment_redirect: { batch: page(302) },
  segment_success_false: { batch: json(200, { success: false }) },
  not_segment: { batch: page(200) },
  segment_refuses_all: { batch: json(400, { message: 'no' }) },
  segment_request_invalid: { batch: failed('REQUEST_INVALID') },
  drift_request_invalid: { lookup: failed('REQUEST_INVALID') },
  grant_dead: { lookup: own(401, 'invalid_token'), refresh: own(400, 'invalid_request') },
  drift_token_refused: { lookup: own(401, 'invalid_token') },
  drift_forbidden: { lookup: own(403, 'insufficient_scope') },
}

const reached = new Map<string, Saved>()

/** An account in this state. What follows happens to it alone. */
export async function accountThatIs(state: string): Promise<World> {
  if (!reached.has(state)) {
    const world = await openWorld(newSaved())
    await reach(world, state)
    assert.equal(await world.name(), state)
    reached.set(state, world.saved())
  }
  const saved = reached.get(state)!
  return openWorld(saved)
}

/**
 * Brings the account into this state. Two of its events wait to be sent and a third one waits for Drift to say whose it is:
 * both partners were down a moment ago.
 */
async function reach(world: World, state: string): Promise<void> {
  const [, wrapper, inner] = /^(.*?) \((.*)\)$/.exec(state) ?? []
  if (wrapper === 'settings_unreadable') {
    await reach(world, inner!)
    await world.write(madeUnreadable((await world.stored())!))
    await world.restart()
    await world.run()
  } else if (wrapper === 'not listed') {
    await reach(world, inner!)
    await world.restart(new Set(['1']))
    await world.run()
  } else if (wrapper !== undefined) {
    await reach(world, inner === 'needs_attention' ? 'segment_401' : inner!)
    const stranger = json(200, { authenticated_userid: 'orgId:77' })
    const said = wrapper === 'disconnecting' ? { tokenInfo: down, refresh: down } : { tokenInfo: stranger }
    world.partners = { ...world.partners, ...said }
    await world.arrive('app_disconnected', {})
    await world.run()
  } else if (state !== 'absent') {
    await connect(world)
    await bring(world, state)
  }
}

async function connect(world: World): Promise<void> {
  const { accounts, keyring, clock } = world.common
  const grant = { accessToken: 'access', refreshToken: 'refresh', expiresAt: clock.now() + 72 * hour }
  const fields = await grantFields(keyring, org, grant, clock.now())
  const key = await sealWriteKey(keyring, org, 1, writeKey)
  await accounts.change(org, clock.now(), (blank) => changeDestination({ ...blank, ...fields }, 1, { key }))
  world.partners = { ...well, batch: down, lookup: down }
  for (const n of [1, 2])
    await world.arrive('contact_updated', { endUserId: 7, timestamp: n, diff: [{ name: 'attributes.n', updated: n }] })
  await world.arrive('conversation_participant_added', { conversationId: 1, addedParticipants: [1], changedAt: 1 })
  await world.run()
}

async function bring(world: World, state: string): Promise<void> {
  const { accounts, clock } = world.common
  const change = (edit: (install: Install) => Install) => accounts.change(org, clock.now(), edit)
  if (state === 'disconnected') await world.disconnect.leave(org, 'a person')
  if (state === 'waiting_for_key' || state === 'paused without a key')
    await change((install) => changeDestination(install, 1, { key: undefined }))
  if (state.startsWith('paused')) await pauseAccount(world.common, org, 'a person')
  if (state === 'endpoint_not_allowed')
    await change((install) => changeDestination(install, 1, { endpoint: lostEndpoint }))
  const refusal = refusals[state]
  if (!refusal) return
  if (state === 'write_key_unreadable')
    await change((install) => changeDestination(install, 1, { key: Buffer.alloc(99, 1).toString('base64') }))
  world.advance(2_000)
  world.partners = { ...world.partners, ...refusal }
  await world.run()
  if (state === 'segment_unheard_of') await change((install) => changeDestination(install, 1, { reason: state }))
}

/** From now on each partner says yes, or what is said here; one that was silent about a disconnect stays so. */
export function nowSays(world: World, state: string, said: Partial<Partners>): void {
  const silent = state.includes('disconnecting (') ? { tokenInfo: down, refresh: down } : {}
  world.partners = { ...well, ...silent, ...said }
  world.requests.length = 0
}
