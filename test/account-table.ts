/**
 * The states of an account as a specification: every state, everything that can be done to it or happen to it, and every
 * answer that Segment and Drift can give meanwhile. Each line says what the person is told, in which state the account is
 * then, what its audit has, and whether what waits is tried at once. The lines were written from what the service promises,
 * and ask nothing of src/accounts; test/accounts/states.test.ts does what each line says, in each state that it names.
 *
 * How to read a line: `same` is the state of before. Several states are separated by `;`. `refused` is each reason for which
 * Segment or Drift refuses an account. `leaving (…)` is both `disconnecting (…)` and `disconnect_unproven (…)`: Drift said
 * that the account disconnected, of an account that is otherwise as the brackets say. `*` is whatever the brackets say. `a + b`: Drift
 * refuses the account because of the one, and Segment its destination because of the other. An
 * account that is not listed in DRIFT_ORG_IDS_ALLOWED changes beneath as one that is listed, where no line says otherwise,
 * and nothing of it is sent. `tried`: what waits is sent, and looked up, at once; `sent`, `looked up`: only that. In all
 * other lines nothing is sent.
 */

import type { What } from './account-actions.ts'
import { type Line, lookupSays } from './account-answers.ts'
import { byConnecting, byDisconnecting, byKeeping, byLeaving, lives } from './account-drift.ts'
import { by, type Case, type Options, type Table } from './account-line.ts'
import { page } from './account-stage.ts'

/* What people do, and the operator. */

const pausing: Table = `
  the account is                              | is told | and is then                    | audit  | what waits
  absent; disconnected                        | gone    | same                           |        |
  live; refused                               | done    | paused                         | paused |
  waiting_for_key                             | done    | paused without a key           | paused |
  paused; paused without a key                | done    | same                           |        |
  leaving (live); leaving (needs_attention)   | done    | leaving (paused)               | paused |
  leaving (waiting_for_key)                   | done    | leaving (paused without a key) | paused |
  leaving (paused)                            | done    | same                           |        |
  leaving (paused without a key)              | done    | same                           |        |
  endpoint_not_allowed                        | done    | paused                         | paused |
  settings_unreadable (live)                  | settings_unreadable | same               |        |
`
export const resuming: Table = `
  the account is                              | is told     | and is then     | audit   | what waits
  absent; disconnected                        | gone        | same            |         |
  live; waiting_for_key; endpoint_not_allowed | not_paused  | same            |         |
  paused; refused                             | done        | live            | resumed | tried
  paused without a key                        | done        | waiting_for_key | resumed | looked up
  disconnecting (*)                           | asked       | same            |         |
  disconnect_unproven (live)                  | done        | live            | resumed | tried
  disconnect_unproven (needs_attention)       | done        | live            | resumed | tried
  disconnect_unproven (paused)                | done        | live            | resumed | tried
  disconnect_unproven (waiting_for_key)       | done        | waiting_for_key | resumed | looked up
  disconnect_unproven (paused without a key)  | done        | waiting_for_key | resumed | looked up
  not listed (live); not listed (refused)     | not_allowed | same            |         |
  not listed (paused)                         | not_allowed | same            |         |
  not listed (waiting_for_key)                | not_allowed | same            |         |
  not listed (paused without a key)           | not_allowed | same            |         |
  settings_unreadable (live)                  | not_paused  | same            |         |
  not listed (settings_unreadable (live))     | not_allowed | same            |         |
  not listed (endpoint_not_allowed)           | not_allowed | same            |         |
`
const retrying: Table = `
  the account is                              | is told                   | and is then | audit   | what waits
  absent; disconnected                        | gone                      | same        |         |
  live; refused                               | done                      | same        | retried | tried
  paused                                      | held: paused              | same        |         |
  waiting_for_key; paused without a key       | held: no_write_key        | same        |         |
  disconnecting (*)                           | held: disconnecting       | same        |         |
  disconnect_unproven (*)                     | held: disconnect_unproven | same        |         |
  not listed (live); not listed (refused)     | held: not_allowed         | same        |         |
  not listed (paused)                         | held: not_allowed         | same        |         |
  not listed (waiting_for_key)                | held: not_allowed         | same        |         |
  not listed (paused without a key)           | held: not_allowed         | same        |         |
  not listed (endpoint_not_allowed)           | held: not_allowed         | same        |         |
  settings_unreadable (live)                  | held: settings_unreadable | same        |         |
  endpoint_not_allowed                        | held: endpoint_not_allowed | same       |         |
  not listed (settings_unreadable (live))     | held: not_allowed         | same        |         |
`
export const savingKey: Table = `
  the account is                              | is told | and is then      | audit                     | what waits
  absent; disconnected                        | gone    | same             |                           |
  live; waiting_for_key; refused by Segment   | saved   | live             | set the write key | tried
  endpoint_not_allowed                        | saved   | live             | set the write key | tried
  refused by Drift                            | saved   | same             | set the write key | sent
  paused; paused without a key                | saved   | paused           | set the write key |
  leaving (live); leaving (waiting_for_key)   | saved   | leaving (live)   | set the write key |
  leaving (needs_attention)                   | saved   | leaving (live)   | set the write key |
  leaving (paused)                            | saved   | same             | set the write key |
  leaving (paused without a key)              | saved   | leaving (paused) | set the write key |
  settings_unreadable (live)                  | settings_unreadable | same |                           |
`
const changingRegion: Table = `
  the account is                              | is told | and is then | audit              | what waits
  absent; disconnected                        | gone    | same        |                    |
  waiting_for_key; paused without a key       | gone    | same        |                    |
  leaving (waiting_for_key)                   | gone    | same        |                    |
  leaving (paused without a key)              | gone    | same        |                    |
  live; refused by Segment                    | saved   | live        | changed where events are sent | tried
  endpoint_not_allowed                        | saved   | live        | changed where events are sent | tried
  refused by Drift                            | saved   | same        | changed where events are sent | sent
  paused                                      | saved   | same        | changed where events are sent |
  leaving (live)                              | saved   | same        | changed where events are sent |
  leaving (needs_attention)                   | saved   | leaving (live) | changed where events are sent |
  leaving (paused)                            | saved   | same        | changed where events are sent |
  settings_unreadable (live)                  | settings_unreadable | same |                    |
`
const choosingEvents: Table = `
  the account is                              | is told | and is then | audit            | what waits
  absent; disconnected                        | stale   | same        |                  |
  settings_unreadable (live)                  | settings_unreadable | same |                  |
  any other                                   | saved   | same        | chose the events |
`
const choosingDaily: Table = `
  the account is                              | is told | and is then | audit                                           | what waits
  absent; disconnected                        | gone    | same        |                                                 |
  settings_unreadable (live)                  | settings_unreadable | same |                                            |
  any other                                   | saved   | same        | chose whether to compare with Drift every day   |
`
const allowingPerson: Table = `
  the account is                              | is told | and is then | audit                                           | what waits
  any                                         | done    | same        | let history bring in an erased person again     |
`
const erasingPerson: Table = `
  the account is                              | is told | and is then | audit            | what waits
  any                                         | done    | same        | erased a person  |
`
const handlingRequest: Table = `
  the account is                              | is told | and is then | audit                          | what waits
  absent; disconnected                        | no      | same        |                                |
  any other                                   | yes     | same        | handled a request for deletion |
`
const signingOut: Table = `
  the account is                              | is told | and is then | audit                 | what waits
  any                                         | done    | same        | signed out everywhere |
`
export const addingKey: Table = `
  the account is                              | is told | and is then      | audit                  | what waits
  absent; disconnected                        | done    | live             | configured the account | nothing
  live; waiting_for_key; refused              | done    | live             | configured the account | tried
  paused; paused without a key                | done    | paused           | configured the account |
  endpoint_not_allowed                        | done    | same             | configured the account |
  leaving (live); leaving (waiting_for_key)   | done    | leaving (live)   | configured the account |
  leaving (needs_attention)                   | done    | leaving (live)   | configured the account |
  leaving (paused)                            | done    | same             | configured the account |
  leaving (paused without a key)              | done    | leaving (paused) | configured the account |
  settings_unreadable (live)                  | settings_unreadable | same |                        |
`
/** Drift is asked about the new grant where it was asked about the one before. */
export const addingGrant: Table = `
  the account is                              | is told | and is then     | audit                                   | what waits
  absent; disconnected                        | done    | waiting_for_key | configured the account                  | nothing
  live; waiting_for_key                       | done    | same            | configured the account                  |
  paused; paused without a key                | done    | same            | configured the account                  |
  endpoint_not_allowed                        | done    | same            | configured the account                  |
  refused                                     | done    | live            | configured the account                  | tried
  disconnecting (live)                        | done    | live            | configured the account + asked + denied | tried
  disconnecting (needs_attention)             | done    | live            | configured the account + asked + denied | tried
  disconnecting (*)                           | done    | *               | configured the account + asked + denied |
  disconnect_unproven (live)                  | done    | live            | configured the account                  | tried
  disconnect_unproven (needs_attention)       | done    | live            | configured the account                  | tried
  disconnect_unproven (*)                     | done    | *               | configured the account                  |
  settings_unreadable (live)                  | settings_unreadable | same |                                         |
`
/** The settings give both, a grant and a key; started once more, they change nothing, and the audit has nothing more. */
const startingSingle: Table = `
  the account is                              | is told | and is then     | audit                                   | what waits
  absent; disconnected                        | done    | live            | configured the account                  | nothing
  live; waiting_for_key; refused              | done    | live            | configured the account                  | tried
  endpoint_not_allowed                        | done    | live            | configured the account                  | tried
  paused; paused without a key                | done    | paused          | configured the account                  |
  disconnecting (paused)                      | done    | paused          | configured the account + asked + denied |
  disconnecting (paused without a key)        | done    | paused          | configured the account + asked + denied |
  disconnecting (*)                           | done    | live            | configured the account + asked + denied | tried
  disconnect_unproven (paused)                | done    | paused          | configured the account                  |
  disconnect_unproven (paused without a key)  | done    | paused          | configured the account                  |
  disconnect_unproven (*)                     | done    | live            | configured the account                  | tried
  settings_unreadable (live)                  | done    | same            |                                         |
`
export const listing: Table = `
  the account is                              | is told | and is then | audit | what waits
  not listed (live); not listed (refused)     |         | *           |       | tried
  not listed (*)                              |         | *           |       |
  live; refused                               |         | same        |       | tried
  any other                                   |         | same        |       |
`
export const upgrading: Table = `
  the account is                              | is told | and is then | audit | what waits
  settings_unreadable (live)                  |         | live        |       | tried
  live; refused                               |         | same        |       | tried
  any other                                   |         | same        |       |
`
export const offering: Table = `
  the account is                              | is told | and is then | audit | what waits
  endpoint_not_allowed                        |         | live        |       | tried
  live; refused                               |         | same        |       | tried
  any other                                   |         | same        |       |
`
/** Drift is asked all the same whose a conversation is. */
const unlisting: Table = `
  the account is                              | is told | and is then      | audit | what waits
  live; refused                               |         | not listed (any) |       | looked up
  not listed (live); not listed (refused)     |         | same             |       | looked up
  not listed (*)                              |         | same             |       |
  any other                                   |         | not listed (any) |       |
`

/* What happens by itself. */

const anHour: Table = `
  the account is                              | is told | and is then | audit | what waits
  live; refused                               |         | same        |       | tried
  any other                                   |         | same        |       |
`
const aSilentDay: Table = `
  the account is                              | is told | and is then             | audit  | what waits
  live; refused                               |         | same                    |        | tried
  disconnecting (*)                           |         | disconnect_unproven (*) | silent |
  any other                                   |         | same                    |        |
`

/* What Drift decides: a line has a column for each thing that it can say. */

export const connecting: Table = `
  the account is                              | Drift says whose it is | and it is then  | audit                                        | what waits
  absent; disconnected                        | installed, new         | waiting_for_key | connected the account                        | nothing
  waiting_for_key; paused                     | installed              | same            | connected the account again                  |
  paused without a key                        | installed              | same            | connected the account again                  |
  refused by Drift                            | installed              | live            | connected the account again                  | tried
  live; endpoint_not_allowed                  | installed              | same            | connected the account again                  |
  refused by Segment                          | installed              | same            | connected the account again                  |
  disconnecting (live)                        | installed              | live            | connected the account again + asked + denied | tried
  disconnecting (needs_attention)             | installed              | live            | connected the account again + asked + denied | tried
  disconnecting (*)                           | installed              | *               | connected the account again + asked + denied |
  disconnect_unproven (live)                  | installed              | live            | connected the account again                  | tried
  disconnect_unproven (needs_attention)       | installed              | live            | connected the account again                  | tried
  disconnect_unproven (*)                     | installed              | *               | connected the account again                  |
  settings_unreadable (live)                  | installed              | same            | connected the account again                  |
  not listed (absent)                         | not_allowed            | same            |                                              |
  not listed (disconnected)                   | not_allowed            | same            |                                              |
  not listed (*)                              | not_allowed_any_more   | same            |                                              |
`
const disconnecting: Table = `
  the account is                              | Drift ends the grant | and it is then | audit        | what waits
  absent; disconnected                        | no_grant             | same           |              |
  any other                                   | revoked              | disconnected   | disconnected |
`
/** `asked` stands in the audit first, but for an account that Drift is being asked about already. */
export const sayingGoodbye: Table = `
  the account is                              | it has not      | it has       | it cannot say                         | nothing clear
  absent; disconnected                        | same            | same         | same                                  | same
  live                                        | live            | disconnected | disconnect_unproven (live)            | disconnecting (live)
  refused by Segment                          | live            | disconnected | disconnect_unproven (needs_attention) | disconnecting (needs_attention)
  refused by Drift                            | live            | disconnected | disconnect_unproven (live)            | disconnecting (live)
  waiting_for_key; paused                     | same            | disconnected | disconnect_unproven (any)             | disconnecting (any)
  endpoint_not_allowed                        | same            | disconnected | disconnect_unproven (live)            | disconnecting (live)
  paused without a key                        | same            | disconnected | disconnect_unproven (any)             | disconnecting (any)
  leaving (needs_attention)                   | live            | disconnected | disconnect_unproven (*)               | disconnecting (*)
  leaving (*)                                 | *               | disconnected | disconnect_unproven (*)               | disconnecting (*)
  settings_unreadable (live)                  | same            | disconnected | settings_unreadable (disconnect_unproven (live)) | settings_unreadable (disconnecting (live))
`
const keepingAlive: Table = `
  the account is                              | it gives a new one | it refuses | nothing clear
  live; refused by Drift                      | same               | grant_dead | same
  refused by Segment                          | same               | grant_dead + same | same
  endpoint_not_allowed                        | same               | grant_dead | same
  settings_unreadable (live)                  | same               | settings_unreadable (grant_dead) | same
  any other                                   | same               | same       | same
`

/* Which line speaks of what. */

/** Nothing can renew the private token of single-account mode. */
const lookupsOfPrivate = lookupSays.map(([answer, says, means, told]): Line => {
  const isRefused = answer.startsWith('401') && !answer.includes('proxy')
  return [answer, says, isRefused ? 'grant_dead' : means, told]
})
const down = page(503)
const aDay: Options = {
  says: { batch: down, lookup: down, tokenInfo: down, refresh: down },
  sends: [['503', { batch: down }, 'later', '']],
  lookups: [['503', { lookup: down }, 'later', '']],
}

/** The lines of what can be done and can happen. */
export const cases: Readonly<Record<What, (state: string) => Case[]>> = {
  'a person pauses it': by(pausing),
  'a person resumes it': by(resuming, { asks: true }),
  'a person wants what waits to be tried now': by(retrying, { asks: true }),
  'a person saves another write key': by(savingKey, { isNewKey: true }),
  'a person saves another region': by(changingRegion),
  'a person chooses other events': by(choosingEvents),
  'a person wants it to be compared with Drift every day': by(choosingDaily),
  'a person allows an erased one again': by(allowingPerson),
  'an admin erases a person': by(erasingPerson),
  'a person has handled a request for deletion': by(handlingRequest),
  'a person signs out everywhere': by(signingOut),
  'a person adds it again with a write key': by(addingKey, { isNewKey: true }),
  'a person adds it again with a grant': by(addingGrant, { says: lives }),
  'the service starts in single-account mode': by(startingSingle, {
    isNewKey: true,
    says: lives,
    lookups: lookupsOfPrivate,
  }),
  'the operator lists it, and an hour passes': by(listing),
  'the operator does not list it any more, and an hour passes': by(unlisting),
  'the operator starts a version that can read its settings, and an hour passes': by(upgrading),
  'the operator lists its endpoint, and an hour passes': by(offering),
  'an hour passes': by(anHour),
  'a day passes in which no partner answers': by(aSilentDay, aDay),
  'its admin connects it in Drift': byConnecting(connecting),
  'a person disconnects it': byDisconnecting(disconnecting),
  'Drift says that it disconnected': byLeaving(sayingGoodbye),
  'its grant is due to be renewed': byKeeping(keepingAlive),
}
