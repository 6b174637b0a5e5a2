/** Accounts in every state there can be, and the status that each must have: the truth table of Home's banner. */
import type { Install } from '../src/storage/ports/accounts.ts'
import type { LaneShown } from '../src/storage/ports/lookup.ts'
import type { Facts, StatusWord } from '../src/web/console/status-facts.ts'

export const now = Date.UTC(2026, 10, 24, 12)
export const minute = 60_000
/** Of an account with one destination. */
function settings(first: object): string {
  return JSON.stringify({ destinations: [{ number: 1, name: 'Segment', ...first }] })
}

const live: Install = {
  org: '7',
  state: 'live',
  settings: settings({ key: 'AAAA' }),
  createdAt: now - 90 * minute,
  updatedAt: 0,
  generation: 3,
}
const keyless = { ...live, settings: '{}' }
export const pause = { state: 'paused', settings: settings({ key: 'AAAA', paused: true }) } as const

/** An account whose events arrive, and whose test event was seen. */
export const works: Facts = {
  now,
  install: live,
  lanes: [],
  queued: 0,
  blocked: 0,
  lookingUp: 0,
  wrong: { failed: 0, notRecognized: 0 },
  everReceived: true,
  everDelivered: true,
  lastReceivedAt: now - minute,
  lastDeliveredAt: now - minute,
  isSilent: false,
  isConfirmed: true,
  isAllOff: false,
  since: {},
  connects: true,
  isFixed: false,
  appsUrl: 'https://drift.example/apps',
}

const lane = (more: Partial<LaneShown>): LaneShown => ({ lane: 'send', destination: 1, failures: 0, ...more })
export const failing = (lastError: string): LaneShown => lane({ failures: 2, lastError, readyAt: now + minute })
export const refused = (blocked: string): LaneShown => lane({ blocked, lastError: blocked, readyAt: now + 30 * minute })
/** So many wait since so many minutes ago. */
export const waiting = (queued: number, minutes: number): Partial<Facts> => ({
  queued,
  oldestAt: now - minutes * minute,
})
export const blocked = (many: number): Partial<Facts> => ({ blocked: many, oldestAt: now - 9 * minute })
const asking = (more: Partial<LaneShown>): Partial<Facts> => ({
  lanes: [lane({ lane: 'ask', destination: 0, ...more })],
  lookingUp: 4,
  oldestLookupAt: now - 9 * minute,
})
export const accountOf = (more: Partial<Install>): Partial<Facts> => ({ install: { ...live, ...more } })

export type Row = readonly [
  what: string,
  facts: Partial<Facts>,
  word: StatusWord,
  title: RegExp,
  action: string | undefined,
]

export const table: readonly Row[] = [
  ['all is well', {}, 'Working', /^Events reach Segment$/, undefined],
  [
    'Segment answers 200 to whatever key it is, and the admin has not looked there yet',
    { isConfirmed: false },
    'Working',
    /^Accepted by Segment, not yet confirmed$/,
    'Send test event',
  ],
  [
    'two events failed today',
    { wrong: { failed: 2, notRecognized: 0 } },
    'Working',
    /^Action needed: 2 events failed$/,
    'View failed events',
  ],
  [
    'one was not recognized',
    { wrong: { failed: 0, notRecognized: 1 } },
    'Working',
    /^Action needed: 1 event not recognized$/,
    'View these events',
  ],
  [
    'the write key is missing',
    { install: { ...keyless, state: 'waiting_for_key' }, ...blocked(312) },
    'Setup incomplete',
    /^Enter a write key$/,
    'Enter write key',
  ],
  [
    'no webhook ever came',
    { everReceived: false, everDelivered: false, isConfirmed: false },
    'Waiting for the first event',
    /^No event has come from Drift yet$/,
    'Open apps in Drift',
  ],
  [
    'one came and nothing was delivered yet',
    { everDelivered: false, ...waiting(1, 0) },
    'Waiting for the first event',
    /^No event has been delivered yet$/,
    'View events',
  ],
  ['every type is off', { isAllOff: true }, 'Stopped', /^Every event type is disabled$/, 'Choose events'],
  [
    'every type is off, and none ever came',
    { isAllOff: true, everReceived: false },
    'Stopped',
    /disabled/,
    'Choose events',
  ],
  ['Drift is silent', { isSilent: true }, 'Stopped', /^No events from Drift$/, 'Open apps in Drift'],
  ['it is paused', { ...accountOf(pause), ...blocked(5) }, 'Paused', /^Sending is paused$/, 'Resume'],
  ['it is paused, and no event ever came', { ...accountOf(pause), everReceived: false }, 'Paused', /paused/, 'Resume'],
  // From the first failed attempt on, once the oldest is over a minute old.
  [
    'Segment answers 503, since seconds',
    { lanes: [failing('segment_503')], ...waiting(3, 0.5) },
    'Working',
    /./,
    undefined,
  ],
  [
    'Segment answers 503, since minutes',
    { lanes: [failing('segment_503')], ...waiting(3, 2) },
    'Delayed',
    /^Segment returned 503 \(service unavailable\)$/,
    'Retry now',
  ],
  [
    'Segment answers 429',
    { lanes: [failing('segment_429')], ...waiting(3, 2) },
    'Delayed',
    /^Segment returned 429 \(too many requests\)$/,
    'Retry now',
  ],
  [
    'Segment does not answer in time',
    { lanes: [failing('TIMEOUT')], ...waiting(3, 2) },
    'Delayed',
    /^No whole answer came in time$/,
    'Retry now',
  ],
  [
    'Segment cannot be reached',
    { lanes: [failing('ECONNREFUSED')], ...waiting(3, 2) },
    'Delayed',
    /could not be reached/,
    'Retry now',
  ],
  [
    'Segment fails from the very first event on',
    { lanes: [failing('segment_503')], ...waiting(1, 2), everDelivered: false },
    'Delayed',
    /503/,
    'Retry now',
  ],
  [
    'Segment fails, and a request is under way now',
    { lanes: [{ ...failing('segment_503'), readyAt: now, leaseUntil: now + minute }], ...waiting(3, 2) },
    'Delayed',
    /503/,
    'View queued events',
  ],
  [
    'more has come than could be sent at once',
    waiting(90_000, 2),
    'Delayed',
    /^Events wait longer than usual$/,
    'View queued events',
  ],
  [
    'Segment refuses the key (401)',
    { lanes: [refused('segment_401')], ...blocked(8) },
    'Stopped',
    /^Segment refuses the write key$/,
    'Replace write key',
  ],
  [
    'Segment refuses the key (401), which the operator’s settings rule',
    { lanes: [refused('segment_401')], ...blocked(8), isFixed: true },
    'Stopped',
    /refuses/,
    'Retry now',
  ],
  [
    'Segment’s address redirects',
    { lanes: [refused('segment_redirect')], ...blocked(8) },
    'Stopped',
    /^Segment’s address redirects$/,
    'Retry now',
  ],
  [
    'something else than Segment answers',
    { lanes: [refused('not_segment')], ...blocked(8) },
    'Stopped',
    /^Something else answered$/,
    'Retry now',
  ],
  [
    'Segment refused it, and nothing waits',
    accountOf({ state: 'needs_attention', settings: settings({ key: 'AAAA', reason: 'segment_401' }) }),
    'Stopped',
    /refuses/,
    'Replace write key',
  ],
  [
    'Drift’s grant is dead',
    {
      ...accountOf({ state: 'needs_attention', reason: 'grant_dead' }),
      ...asking({ blocked: 'grant_dead', readyAt: now + minute }),
    },
    'Stopped',
    /^Reconnect to Drift$/,
    'Reconnect to Drift',
  ],
  [
    'Drift’s grant is dead, and only the operator can connect it',
    {
      ...accountOf({ state: 'needs_attention', reason: 'grant_dead' }),
      ...asking({ blocked: 'grant_dead', readyAt: now + minute }),
      connects: false,
    },
    'Stopped',
    /./,
    'Retry now',
  ],
  [
    'Drift does not answer lookups',
    asking({ failures: 3, lastError: 'drift_503', readyAt: now + minute }),
    'Delayed',
    /^Drift returned 503 \(service unavailable\)$/,
    'Retry now',
  ],
  [
    'Drift said that it disconnected',
    { ...accountOf({ reason: 'disconnecting' }), ...blocked(2) },
    'Disconnecting',
    /^Drift said that this account disconnected$/,
    'View blocked events',
  ],
  [
    'Drift did not confirm that it disconnected',
    accountOf({ reason: 'disconnect_unproven' }),
    'Disconnecting',
    /\?$/,
    'Resume',
  ],
  [
    'it has disconnected',
    accountOf({ state: 'disconnected' }),
    'Stopped',
    /^This account is disconnected$/,
    'Reconnect to Drift',
  ],
  [
    'it has disconnected, and only the operator can connect it',
    { ...accountOf({ state: 'disconnected' }), connects: false },
    'Stopped',
    /disconnected/,
    undefined,
  ],
  [
    'the operator does not list it',
    { ...accountOf({ notAllowed: true }), ...blocked(2) },
    'Stopped',
    /^Account not allowed$/,
    'View blocked events',
  ],
  [
    'its settings cannot be read',
    { ...accountOf({ unreadable: true }), ...blocked(2) },
    'Stopped',
    /^Settings cannot be read$/,
    'View blocked events',
  ],
]
