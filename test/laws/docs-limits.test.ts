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
  ['src/web/console/live.ts', 'streamsMax = 50', { 'docs/errors.md': 'more than fifty pages of one account' }],
  ['src/web/console/destination-flow.ts', 'delayedMs = 60_000', { 'docs/console.md': 'is over a minute old' }],
  ['src/web/http/server.ts', 'headersMax = 1_000', { 'docs/errors.md': 'more than 1,000 headers' }],
  ['src/lib/json-survey.ts', 'depthMax = 32', { 'docs/errors.md': 'nests deeper than 32 levels' }],
  ['src/lib/json-survey.ts', 'valuesMax = 50_000', { 'docs/errors.md': 'more than 50,000 values' }],
  ['src/lib/json-survey.ts', 'numberCharactersMax = 400', { 'docs/errors.md': 'more than 400 digits' }],
  ['src/lib/sampled-log.ts', 'linesMax = 10', { 'docs/missing-events.md': 'ten lines a minute of a kind' }],
  ['src/lib/public-request.ts', 'answerBytesMax = 4 * 1024', { 'docs/alerts.md': '4 kB of it are read' }],
  [
    'src/lib/backoff.ts',
    'askMsMin = 10_000',
    {
      'docs/missing-events.md': 'a second time within ten seconds',
      'docs/states.md': 'within ten seconds of the last',
    },
  ],
  ['src/segment/batch.ts', 'messageBytesMax = 32_000', { 'docs/errors.md': 'over 32,000 bytes' }],
  ['src/segment/batch.ts', 'messagesMax = 500', { 'docs/performance.md': 'at most 500 messages' }],
  ['src/accounts/settings.ts', 'destinationsMax = 10', { 'docs/destinations.md': 'one to ten destinations' }],
  ['src/accounts/destination-actions.ts', 'nameLengthMax = 40', { 'docs/destinations.md': 'up to 40 characters' }],
  ['src/accounts/disconnect.ts', 'patienceMs = 24 * 3_600_000', { 'docs/connect.md': 'has not answered for a day' }],
  ['src/pipeline/receive.ts', 'rememberMs = 30 * day', { 'docs/size.md': 'its identity, kept for 30 days' }],
  ['src/pipeline/settle.ts', 'probeMsMin = 60_000', { 'docs/states.md': 'one entry is tried after a minute' }],
  ['src/pipeline/contacts.ts', 'rememberMs = 5 * 60_000', { 'docs/mapping.md': 'is remembered for five minutes' }],
  ['src/pipeline/keep.ts', 'groupMax = 1_000', { 'docs/size.md': 'up to a thousand webhooks at a time' }],
  ['src/pipeline/texts.ts', 'bodyTextsMax = 100', { 'ARCHITECTURE.md': 'texts of 1 to 100 events' }],
  ['src/pipeline/excerpt.ts', 'charsMax = 200', { 'docs/states.md': 'at most 200 characters' }],
  [
    'src/pipeline/worker.ts',
    'crashesBeforeQuarantine = 10',
    { 'docs/outages.md': 'ten times in a row is quarantined', 'docs/errors.md': 'the process ended ten times' },
  ],
  ['src/storage/isolating.ts', 'crashesBeforeIsolating = 3', { 'docs/states.md': 'After three in a row' }],
  ['src/storage/place.ts', 'perBody = 128', { 'ARCHITECTURE.md': 'An id is 128 ×' }],
  [
    'src/storage/history.ts',
    '[firstKept, lastKept] = [5, 20]',
    {
      'docs/missing-events.md': 'the first five and the last twenty',
      'docs/states.md': 'the first five and the last twenty',
    },
  ],
  ['src/storage/sqlite/worker.ts', 'lookMs = 250', { 'docs/backup.md': 'four times a second' }],
  [
    'src/storage/sqlite/purge.ts',
    'vacuumBytesMax = 64 * 1024 * 1024',
    { 'docs/operate.md': 'A file of up to 64 MiB', 'docs/errors.md': 'a file of more than 64 MiB' },
  ],
  [
    'src/storage/sqlite/reserve.ts',
    'reserveBytes = roomMinBytes / 2',
    { 'docs/outages.md': 'keeps 16 MiB in reserve', 'docs/size.md': '16 MiB more are kept' },
  ],
  ['src/storage/retention.ts', 'stepMax = 2_000', { 'docs/size.md': 'takes away 2,000 entries' }],
  ['src/storage/forgetting.ts', 'stepKeys = 10_000', { 'docs/size.md': 'looks at 10,000 identities' }],
  ['src/storage/postgres/settle.ts', 'leasesMax = 16', { 'docs/size.md': 'settles up to sixteen with another' }],
  [
    'src/storage/postgres/database.ts',
    'answerMs = 15_000',
    { 'docs/errors.md': 'longer than 14 seconds for a statement' },
  ],
  [
    'src/storage/postgres/open.ts',
    'connections = { serve: { work: 10, look: 3 }, beside: { work: 4 }, create: { work: 4 } }',
    {
      'docs/outages.md': 'a replica uses up to fourteen, a command five',
      'docs/replicas.md': 'A replica uses up to fourteen, a command beside it five',
    },
  ],
  ['src/operations/maintenance.ts', 'everyMs = 10_000', { 'docs/operate.md': 'goes on trying every ten seconds' }],
  ['src/operations/catch-up.ts', 'everyMs = 60_000', { 'ARCHITECTURE.md': 'does once a minute' }],
  ['src/operations/jobs.ts', 'keepEndedMs = 30 * 24 * 3_600_000', { 'docs/errors.md': 'are listed for 30 days' }],
  ['src/operations/run-jobs.ts', 'failuresMax = 5', { 'docs/states.md': 'a step failed five times in a row' }],
  [
    'src/operations/history/ask.ts',
    'requestLimits: PaceLimits = { atOnceMax: 4, everyMs: 220 }',
    { 'docs/history.md': 'At most 4 requests at once and 5 a second' },
  ],
  ['src/operations/history/estimate.ts', 'keptEveryMs = 10', { 'docs/history.md': 'at most 100 a second are sent' }],
  ['torture/mutants/run.ts', 'turns = 12', { 'docs/torture.md': 'a twelfth of them, another at each commit' }],
  ['src/operations/history/ask.ts', 'lookUpsMax = 6', { 'docs/history.md': 'failed to look up six times' }],
  ['src/operations/history/judge.ts', 'youngMs = 3_600_000', { 'docs/history.md': 'younger than an hour' }],
  ['src/operations/history/without-end.ts', 'emptyMax = 50', { 'docs/history.md': 'has 50 pages in a row' }],
  ['src/drift/lists.ts', 'pageMax = 100', { 'docs/history.md': '100 conversations a request' }],
  ['src/drift/lists.ts', 'meetingsDays = 30', { 'docs/history.md': 'those of the last 30 days' }],
  ['src/alerts/recipients.ts', 'recipientsMax = 10', { 'docs/alerts.md': 'up to ten recipients' }],
  ['src/alerts/recipients.ts', 'mailsMax = 5', { 'docs/alerts.md': 'five of them by e-mail' }],
  ['src/alerts/recipients.ts', 'mailsADay = 50', { 'docs/alerts.md': 'at most 50 mails a day' }],
  ['src/alerts/recipients.ts', 'testMs = 60_000', { 'docs/alerts.md': 'at most once a minute for an account' }],
  ['src/alerts/recipients.ts', 'keptMs = 30 * 24 * 3_600_000', { 'docs/alerts.md': 'answer, for 30 days' }],
  ['src/alerts/message.ts', 'deadlineMs = 10_000', { 'docs/alerts.md': 'an answer has ten seconds' }],
  ['src/alerts/body.ts', 'accountsMax = 20', { 'docs/alerts.md': 'names twenty of them' }],
  ['packages/bridge/src/outbox.ts', 'rateMax = 100', { 'docs/bridge.md': 'more than a hundred events in ten seconds' }],
  [
    'packages/bridge/src/outbox.ts',
    'rateWindowMs = 10_000',
    { 'docs/bridge.md': 'more than a hundred events in ten seconds' },
  ],
  ['packages/bridge/src/outbox.ts', 'keptMax = 100', { 'docs/bridge.md': 'at most a hundred events' }],
  ['packages/bridge/src/bridge.ts', 'lookSeldomMs = 1_000', { 'docs/bridge.md': 'is noticed within a second' }],
  [
    'src/web/connect/callback.ts',
    'exchangesMax = 4',
    { 'docs/connect.md': 'four others were talking to Drift', 'docs/errors.md': 'four others were talking to Drift' },
  ],
  [
    'src/pipeline/open.ts',
    'usualLeaseMs = 60_000',
    { 'docs/replicas.md': 'takes over after a minute', 'docs/outages.md': 'takes over after a minute' },
  ],
  ['src/alerts/run.ts', 'changedMs = 1_000', { 'ARCHITECTURE.md': 'a second after one has changed' }],
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
