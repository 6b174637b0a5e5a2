/**
 * What can be done to an account, and what can happen to it, by the functions that console, command line, settings and the
 * service's own loops call.
 */
import {
  allowPerson,
  chooseDaily,
  chooseEvents,
  erasePerson,
  handleRequest,
  pauseAccount,
} from '../src/accounts/actions.ts'
import { configureAccount, configureSingle } from '../src/accounts/add-account.ts'
import { changeWriteKey } from '../src/accounts/change-key.ts'
import { finishing } from '../src/accounts/connect-finish.ts'
import { type LaneAt, resumeNow, retryNow } from '../src/accounts/retry.ts'
import { signOutEverywhere } from '../src/accounts/sign-out.ts'
import { allowPerson as allow, erasePerson as erase } from '../src/operations/erase.ts'
import { app, isUnreadable, lostEndpoint, org, readable, type World } from './account-stage.ts'
import { writeKey } from './stage.ts'

export interface Action {
  /** The function of src/accounts that does it. */
  by: string
  /** What a person is told, and the lanes in which an attempt was asked for. */
  does(world: World): Promise<{ told: string; asked?: readonly LaneAt[] }>
  /** False: what waits is not looked at. */
  isRun?: boolean
}

const who = 'a person'
const hour = 3_600_000
const newKey = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'

async function retry({ common }: World): Promise<{ told: string; asked?: readonly LaneAt[] }> {
  const done = await retryNow(common, org, who)
  if (done.is === 'held') return { told: `held: ${done.reason}` }
  return { told: done.is, ...(done.is === 'done' ? { asked: done.asked } : {}) }
}

const table = {
  'a person pauses it': {
    by: 'pauseAccount',
    does: async ({ common }) => ({ told: (await pauseAccount(common, org, who)).is }),
  },
  'a person resumes it': {
    by: 'resumeNow',
    async does({ common }) {
      const done = await resumeNow(common, org, who)
      return { told: done.is, ...(done.is === 'done' ? { asked: done.asked } : {}) }
    },
  },
  'a person wants what waits to be tried now': { by: 'retryNow', does: retry },
  'a person saves another write key': {
    by: 'changeWriteKey',
    does: async ({ common }) => ({
      told: (await changeWriteKey(common, org, { writeKey: newKey, region: 'us', by: who })).is,
    }),
  },
  'a person saves another region': {
    by: 'changeWriteKey',
    does: async ({ common }) => ({ told: (await changeWriteKey(common, org, { region: 'eu', by: who })).is }),
  },
  'a person chooses other events': {
    by: 'chooseEvents',
    async does({ common }) {
      const generation = String(common.accounts.get(org)?.generation)
      const isSaved = await chooseEvents(common, org, { offTypes: ['new_meeting'], generation, who })
      return { told: isSaved ? 'saved' : 'stale' }
    },
  },
  'a person wants it to be compared with Drift every day': {
    by: 'chooseDaily',
    does: async ({ common }) => ({ told: (await chooseDaily(common, org, { isOn: true, who })) ? 'saved' : 'gone' }),
  },
  'a person allows an erased one again': {
    by: 'allowPerson',
    async does({ common }) {
      const { inbox } = common.storage
      await allowPerson(common, () => allow({ inbox, keyring: common.keyring }, org, '7'), { org, contact: '7', who })
      return { told: 'done' }
    },
  },
  'an admin erases a person': {
    by: 'erasePerson',
    async does({ common }) {
      await erasePerson(
        common,
        () => erase({ ...common.storage, keyring: common.keyring, clock: common.clock }, org, '7', false),
        {
          org,
          contact: '7',
          who,
        },
      )
      return { told: 'done' }
    },
  },
  'a person has handled a request for deletion': {
    by: 'handleRequest',
    async does({ common, arrive }) {
      await arrive('gdpr_delete_requested', {})
      const [request] = (await common.storage.lookup.find({ org, states: ['quarantined'] }, { limit: 1 })).entries
      return { told: (await handleRequest(common, org, request?.messageId ?? 'none', who)) ? 'yes' : 'no' }
    },
  },
  'a person signs out everywhere': {
    by: 'signOutEverywhere',
    async does({ common: { clock, storage } }) {
      await signOutEverywhere({ ...storage, clock }, org, who)
      return { told: 'done' }
    },
  },
  'a person adds it again with a write key': {
    by: 'configureAccount',
    async does({ common }) {
      await configureAccount(common, org, { writeKey }, who)
      return { told: 'done' }
    },
  },
  'a person adds it again with a grant': {
    by: 'configureAccount',
    async does({ common }) {
      await configureAccount(common, org, { grant: { accessToken: 'new', refreshToken: 'new' } }, who)
      return { told: 'done' }
    },
  },
  'the service starts in single-account mode': {
    by: 'configureSingle',
    async does({ common }) {
      const settings = { org, accessToken: 'a private token', writeKey: newKey, region: 'us' } as const
      await configureSingle(common, settings)
      await configureSingle(common, settings)
      return { told: 'done' }
    },
  },
  'the operator lists it, and an hour passes': {
    by: 'openAccounts',
    async does({ restart, advance }) {
      await restart()
      advance(hour)
      return { told: '' }
    },
  },
  'the operator does not list it any more, and an hour passes': {
    by: 'openAccounts',
    async does({ restart, advance }) {
      await restart(new Set(['1']))
      advance(hour)
      return { told: '' }
    },
  },
  'the operator starts a version that can read its settings, and an hour passes': {
    by: 'openAccounts',
    async does({ stored, write, restart, orgsAllowed, advance }) {
      const known = await stored()
      if (known && isUnreadable(known)) await write(readable(known))
      await restart(orgsAllowed())
      advance(hour)
      return { told: '' }
    },
  },
  'the operator lists its endpoint, and an hour passes': {
    by: 'openAccounts',
    async does({ restart, orgsAllowed, advance }) {
      await restart(orgsAllowed(), new Set([lostEndpoint]))
      advance(hour)
      return { told: '' }
    },
  },
  'an hour passes': {
    by: 'markBlocked',
    async does({ advance }) {
      advance(hour)
      return { told: '' }
    },
  },
  'a day passes in which no partner answers': {
    by: 'disconnecting',
    async does({ advance }) {
      advance(25 * hour)
      return { told: '' }
    },
  },
  'its admin connects it in Drift': {
    by: 'finishing',
    async does({ common, orgsAllowed }) {
      const { storage, ...rest } = common
      const around = { vault: storage.vault, audit: storage.audit, apiUrl: 'http://drift', app, single: undefined }
      const finished = await finishing({ ...rest, ...around, orgsAllowed: orgsAllowed() })('a code')
      if (finished.is === 'unfinished') return { told: `unfinished: ${finished.why}` }
      return { told: finished.isNew ? 'installed, new' : 'installed' }
    },
  },
  'a person disconnects it': {
    by: 'disconnecting',
    does: async ({ disconnect }) => ({ told: (await disconnect.leave(org, who)).is }),
  },
  'Drift says that it disconnected': {
    by: 'disconnecting',
    async does({ arrive }) {
      await arrive('app_disconnected', {})
      return { told: '' }
    },
  },
  'its grant is due to be renewed': {
    by: 'openGrants',
    async does({ advance, grants }) {
      advance(61 * hour)
      await grants.keepAlive()
      return { told: '' }
    },
    isRun: false,
  },
} as const satisfies Readonly<Record<string, Action>>

export type What = keyof typeof table
export const actions: Readonly<Record<What, Action>> = table
