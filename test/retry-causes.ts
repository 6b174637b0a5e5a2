/**
 * Why events of an account wait in the tests of "Retry now" and "Resume", and how it comes by each: what fails for a while, and
 * every reason for which they are kept.
 */
import { changeDestination } from '../src/accounts/destinations.ts'
import { grantFields } from '../src/accounts/grant.ts'
import type { AccountReason } from '../src/accounts/needs-attention.ts'
import { reasonOf, unproven } from '../src/accounts/state.ts'
import type { Action } from '../src/sim/index.ts'
import type { Lane } from '../src/storage/ports/entry.ts'
import { eventually, whileWaiting } from './clock.ts'
import { id, type retryStage } from './retry-stage.ts'
import { org } from './rig.ts'

const minute = 60_000

/** An attempt is made, and refused again for the same reason; by so many requests: none where none can be made. */
interface Refused {
  is: 'refused'
  begin(): Promise<void>
  requests: number
}

/** Nothing of the account is sent, whatever waits. */
interface Held {
  is: 'held'
  begin(): Promise<unknown>
  /** Whether a person may end it by "Resume". */
  resumes: boolean
}

/** Those of this stage, for the `describe` in which it was started. */
export function causesAt(stage: ReturnType<typeof retryStage>) {
  const { rig, clock, command, installed, change, restart, update, joins, post, failing } = stage
  const segmentDown = { status: 503 }
  /** What waits for a later time, and what an attempt brings there. */
  const waits: Record<string, { wait(): Promise<void>; says: RegExp; shows: RegExp; code: number }> = {
    'Segment is down': {
      async wait() {
        rig().sims.segment.script(segmentDown)
        await post(update())
        await failing('send')
      },
      says: /Segment answered 503; next attempt at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC/,
      shows:
        /Attempt failed: Segment returned 503 \(service unavailable\)[\s\S]*Next attempt <time[\s\S]*No action needed/,
      code: 1,
    },
    'Segment is well again': {
      async wait() {
        rig().sims.segment.script(segmentDown)
        await post(update())
        await failing('send')
        rig().sims.segment.script(undefined)
      },
      says: /Segment accepted/,
      shows: /Segment accepted/,
      code: 0,
    },
    'Drift is down': {
      async wait() {
        rig().sims.drift.script('/conversations/*', { status: 503 })
        await post(joins())
        await failing('ask')
      },
      says: /Drift answered 503; next attempt at/,
      shows: /Attempt failed: Drift returned 503[\s\S]*Next attempt <time/,
      code: 1,
    },
    'Drift does not know the conversation': {
      async wait() {
        await post(joins())
        await failing('ask')
      },
      says: /Drift answered(?! \d)/,
      shows: /Drift answered(?! \d)/,
      code: 0,
    },
  }

  /** The account is refused, and its lane waits for the next probe. */
  async function refused(reason: AccountReason, name: Lane): Promise<void> {
    await whileWaiting(
      clock(),
      eventually(() => reasonOf(installed()) === reason),
    )
    await failing(name)
  }
  const bySegment = (reason: AccountReason, action: Action): Refused => ({
    is: 'refused',
    async begin() {
      rig().sims.segment.script(action)
      await post(update(1))
      await refused(reason, 'send')
      await post(update(2))
    },
    requests: 1,
  })
  const byDrift = (reason: AccountReason, prepare: () => unknown, requests: number): Refused => ({
    is: 'refused',
    async begin() {
      await prepare()
      await post(joins())
      await refused(reason, 'ask')
    },
    requests,
  })
  const answers = (status: number, type: string) => () =>
    rig().sims.drift.script('/conversations/*', { status, body: { error: { type, message: 'No.' } } })
  const held = (begin: Held['begin'], resumes = false): Held => ({ is: 'held', begin, resumes })
  const saysThatItLeft = () => post({ type: 'app_disconnected', orgId: org, data: {} })

  /** Each reason of the table in src/accounts/needs-attention.ts, and how an account comes by it. */
  const reasons: Record<Exclude<AccountReason, 'not_installed' | 'disconnected'>, Refused | Held | undefined> = {
    paused: held(() => command('pause'), true),
    no_write_key: held(() => change((known) => changeDestination(known, 1, { key: undefined }))),
    not_allowed: held(() => restart({ DRIFT_ORG_IDS_ALLOWED: '1' })),
    endpoint_not_allowed: held(() => change((known) => changeDestination(known, 1, { endpoint: 'gone' }))),
    settings_unreadable: held(async () => {
      const { installs } = rig().service.store.storage
      await installs.save({ ...(await installs.get(id))!, settings: '{"offTypes":"of-later"}' })
      await restart({})
    }),
    disconnecting: held(async () => {
      rig().sims.drift.script('/app/token_info', { status: 503 })
      rig().sims.drift.script('/oauth2/token', { status: 503 })
      await saysThatItLeft()
      await eventually(() => installed().reason === 'disconnecting')
    }),
    disconnect_unproven: held(async () => {
      await change(({ grant: _, ...rest }) => rest)
      await saysThatItLeft()
      await eventually(() => installed().reason === unproven)
    }, true),
    write_key_refused: bySegment('write_key_refused', { status: 400, body: { error: 'invalid write key' } }),
    segment_401: bySegment('segment_401', { status: 401 }),
    segment_403: bySegment('segment_403', { status: 403 }),
    segment_404: bySegment('segment_404', { status: 404 }),
    segment_redirect: bySegment('segment_redirect', { status: 302, headers: { location: '/elsewhere' } }),
    segment_success_false: bySegment('segment_success_false', { status: 200, body: { success: false } }),
    not_segment: bySegment('not_segment', { status: 200, body: '<html>Sign in</html>' }),
    segment_refuses_all: {
      is: 'refused',
      async begin() {
        rig().sims.segment.script(segmentDown)
        await post(update(1))
        await post(update(2))
        await failing('send')
        rig().sims.segment.script({ status: 400 })
        clock().advance(minute)
        await refused('segment_refuses_all', 'send')
      },
      requests: 1,
    },
    // No request of today carries the key where a character could spoil it.
    segment_request_invalid: undefined,
    write_key_unreadable: {
      is: 'refused',
      async begin() {
        await change((known) => changeDestination(known, 1, { key: Buffer.alloc(99, 1).toString('base64') }))
        await post(update())
        await refused('write_key_unreadable', 'send')
      },
      requests: 0,
    },
    grant_dead: byDrift('grant_dead', () => rig().sims.drift.revokeAll(), 1),
    drift_token_refused: byDrift('drift_token_refused', answers(401, 'invalid_token'), 2),
    drift_forbidden: byDrift('drift_forbidden', answers(403, 'insufficient_scope'), 1),
    drift_request_invalid: byDrift(
      'drift_request_invalid',
      async () => {
        const spoilt = await grantFields(rig().service.store.keyring, id, { accessToken: 'a\nb' }, clock().now())
        await change((known) => ({ ...known, ...spoilt }))
      },
      0,
    ),
  }

  return { waits, reasons }
}
