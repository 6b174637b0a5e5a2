/**
 * Limits and times that documents name are the code's. Each stands here as the code declares it and as documents say it: who
 * changes one is led to the others.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTree } from '../tree.ts'

const tree = readTree()

/** Where it is declared, as what, and what documents say of it, by their paths. */
const limits: readonly [path: string, declared: string, said: Readonly<Record<string, string>>][] = [
  ['src/web/webhook.ts', 'bodyBytesMax = 256 * 1024', { 'docs/errors.md': 'a webhook over 256 KiB' }],
  [
    'src/web/http/gate.ts',
    'bodyBytesMax = 64 * 1024',
    { 'docs/errors.md': 'or a form over 64 KiB', 'SECURITY.md': 'a form of at most 64 KiB' },
  ],
  [
    'src/web/http/body-budget.ts',
    'bytesMax = 64 * 1024 * 1024',
    { 'docs/errors.md': 'unfinished forms, take 64 MiB together' },
  ],
  [
    'src/web/session.ts',
    'idleMs = 30 * minuteMs',
    {
      'SECURITY.md': 'ends after 30 minutes without a click',
      'docs/connect.md': 'ends after thirty minutes without a click',
    },
  ],
  [
    'src/web/session.ts',
    'lifetimeMs = 8 * 60 * minuteMs',
    { 'SECURITY.md': 'after 8 hours in any case', 'docs/connect.md': 'after eight hours in any case' },
  ],
  [
    'src/web/session.ts',
    'freshMs = 10 * minuteMs',
    { 'SECURITY.md': 'a proof younger than ten minutes', 'docs/connect.md': 'signed in less than ten minutes ago' },
  ],
  ['src/cli/sign-in.ts', 'linkMs = 10 * 60_000', { 'docs/connect.md': 'works once within ten minutes' }],
  ['src/cli/sign-in.ts', 'linksMax = 1_000', { 'docs/errors.md': 'a thousand sign-in links' }],
  ['src/accounts/connect-begin.ts', 'stateMs = 10 * 60_000', { 'SECURITY.md': 'good once, for ten minutes' }],
  [
    'src/lib/backoff.ts',
    'backoffMsMax = 15 * 60_000',
    { 'docs/outages.md': 'at most fifteen minutes apart', 'docs/states.md': 'at most after 15 minutes' },
  ],
  ['src/lib/backoff.ts', 'probeMsMax = 3_600_000', { 'docs/states.md': 'at most after an hour' }],
  ['src/pipeline/lookup-lane.ts', 'missingMsMax = 3 * 24 * 3_600_000', { 'docs/states.md': 'after three days' }],
  ['src/pipeline/contact-waits.ts', 'waitMsMax = 10 * 60_000', { 'docs/errors.md': 'did not answer for ten minutes' }],
  [
    'src/pipeline/until-gone.ts',
    'usualPatienceMs = 30_000',
    { 'docs/operate.md': 'after 30 seconds the command exits' },
  ],
  ['src/pipeline/until-gone.ts', 'trustMs = 2_000', { 'ARCHITECTURE.md': 'not older than two seconds' }],
  ['src/pipeline/send-lane.ts', 'requestsMax = 16', { 'docs/performance.md': 'up to sixteen requests under way' }],
  ['src/pipeline/send-lane.ts', 'partialEveryMs = 5', { 'docs/performance.md': 'no sooner than 5 ms after' }],
  ['src/pipeline/hand.ts', 'requestsMax = 8', { 'docs/size.md': 'up to eight full batches under way' }],
  ['src/pipeline/worker.ts', 'roomMax = 8', { 'docs/size.md': 'claims up to eight accounts at a time' }],
  ['src/lib/groups.ts', 'restMsMax = 20', { 'docs/performance.md': 'at most 20 ms' }],
  [
    'src/operations/maintenance.ts',
    'failedMs = 30 * dayMs',
    { 'README.md': 'again for 30 days', 'docs/states.md': 'maintenance, after 30 days' },
  ],
  [
    'src/operations/maintenance.ts',
    'notInstalledBytesMax = 64 * 1024 * 1024',
    { 'docs/states.md': 'kept for a day, within 64 MiB' },
  ],
  ['src/operations/clock-steps.ts', 'mistrustMs = 3_600_000', { 'CHANGELOG.md': 'deletes nothing for an hour' }],
  ['src/operations/clock-steps.ts', 'everyMs = 10_000', { 'docs/outages.md': 'noticed within ten seconds' }],
  ['src/operations/run-jobs.ts', 'leaseMs = 15_000', { 'docs/states.md': 'lease of fifteen seconds' }],
  ['src/operations/silence.ts', 'knownMs = 8 * dayMs', { 'docs/missing-events.md': 'last eight days' }],
  ['src/operations/history/daily.ts', 'windowMs = 7 * dayMs', { 'docs/history.md': 'the last seven days' }],
  ['src/alerts/machine.ts', 'quietMs = 3_600_000', { 'docs/alerts.md': 'raised at most once\nan hour' }],
  ['src/alerts/confirm.ts', 'linkMs = 3 * 24 * 3_600_000', { 'docs/alerts.md': 'a link within three days' }],
  [
    'src/alerts/recipients.ts',
    'unconfirmedMs = 7 * 24 * 3_600_000',
    { 'docs/alerts.md': 'not confirmed within seven days' },
  ],
  ['src/alerts/send.ts', 'patienceMs = 7 * dayMs', { 'docs/alerts.md': 'for a\nweek' }],
  ['src/alerts/farewell.ts', 'patienceMs = 8_000', { 'docs/alerts.md': 'eight seconds at most' }],
  ['src/alerts/run.ts', 'lookMs = 30_000', { 'ARCHITECTURE.md': 'every thirty seconds' }],
  [
    'src/storage/ports/storage.ts',
    'roomMinBytes = 32 * 1024 * 1024',
    { 'docs/outages.md': 'With 32 MiB free', 'docs/size.md': 'with 32 MiB free' },
  ],
  ['src/storage/sqlite/database.ts', 'busyMs = 10_000', { 'docs/errors.md': 'locked for ten seconds' }],
  ['src/web/bridge.ts', 'releasesMax = 10', { 'CHANGELOG.md': 'the last ten released versions stay served' }],
]

for (const [path, declared, said] of limits)
  test(`${path} has ${declared}, as ${Object.keys(said).join(' and ')} say${Object.keys(said).length > 1 ? '' : 's'}`, () => {
    const found = tree.find((file) => file.path === path)?.text.includes(`const ${declared}\n`)
    assert.ok(found, `change ${Object.keys(said).join(', ')} and this list with it`)
    for (const [document, words] of Object.entries(said)) {
      const text = tree.find((file) => file.path === document)!.text.replace(/\s+/g, ' ')
      assert.ok(text.includes(words.replace(/\s+/g, ' ')), `${document} does not say: ${words}`)
    }
  })
