// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it quotes source text.
/** Mutants of src/accounts, src/alerts and src/operations: what people and time do to accounts and kept events. */
import type { Mutant } from './mutant.ts'

export const accountMutants: readonly Mutant[] = [
  {
    name: 'forgets that a person was erased',
    becomes: 'if (!dryRun) await inbox.markErased(org, [])',
    catchers: [{ test: 'src/operations/history/interleavings.test.ts' }],
  },
  {
    name: 'asks Drift on although another process does',
    becomes: 'function isLate(): boolean { return false }',
    catchers: [{ test: 'src/operations/history/job.test.ts', only: 'that stood still' }],
  },
  {
    name: 'forgets, when it goes on for another process, that Drift wanted fewer requests',
    becomes: 'const requests = openPace({ clock, limits: requestLimits, signal })',
    catchers: [{ test: 'src/operations/history/ends.test.ts', only: 'as slowly as Drift wanted' }],
  },
  {
    name: 'lets two runs of one account ask Drift at once',
    becomes:
      'const made = await addJob<HistoryInput>(needs, { id, kind, org, who, input, only: `history ${org} ${kind}` })',
    catchers: [{ test: 'src/operations/history/reconcile.test.ts', only: 'one backfill or comparison' }],
  },
  {
    name: 'keeps what it has read at Drift without a natural key',
    becomes: '',
    catchers: [{ test: 'src/operations/history/job.test.ts', only: 'passes over what webhooks have brought' }],
  },
  {
    name: 'does not say whose it is what it has read at Drift',
    becomes: '',
    catchers: [{ test: 'src/operations/history/ends.test.ts', only: 'erased while' }],
  },
  {
    name: 'leaves what nothing holds any more to the next start',
    becomes: '',
    catchers: [{ test: 'test/delivery/holds.test.ts', only: 'without a resume' }],
  },
  {
    name: 'does not notice that the clock is set back',
    becomes: '',
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'the clock is set back by' }],
  },
  {
    name: 'deletes by a clock that has just leapt ahead',
    becomes: 'return true',
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'a year ahead' }],
  },
  {
    name: 'keeps how far a redrive is after what it moved, and not with it',
    becomes: `const moved = await inbox.redrive(moves, now, lease.job.who)
const job = 'held' as const`,
    catchers: [{ test: 'src/operations/redrive-job.test.ts' }],
  },
  {
    name: 'leaves a job that looks for a person who is erased',
    becomes: '',
    catchers: [{ test: 'src/operations/redrive-job.test.ts' }],
  },
  {
    name: 'keeps the data key of an account that has left',
    becomes: 'forgets: async () => [],',
    catchers: [{ test: 'src/accounts/disconnect.test.ts' }],
  },
  {
    name: 'lets an account that connects again find what was left of it',
    becomes: '',
    catchers: [{ test: 'src/accounts/disconnect.test.ts' }],
  },
  {
    name: 'keeps the addresses that alerts of an account went to that has left',
    becomes: '',
    catchers: [{ test: 'src/accounts/disconnect.test.ts', only: 'truly' }],
  },
  {
    name: 'erases an account with its last alert unsent when the service stops',
    becomes: 'if (closing.aborted) break',
    catchers: [{ test: 'test/alerts/real-receivers.test.ts', only: 'before a recipient' }],
  },
  {
    name: 'raises the same thing again within the hour',
    becomes: 'const isDue = now - since >= (finding.afterMs ?? 0)',
    catchers: [{ test: 'src/alerts/machine.test.ts' }],
  },
  {
    name: 'announces as recovered an account that a person has only paused or resumed',
    becomes: 'return undefined',
    catchers: [{ test: 'src/alerts/rules.test.ts' }],
  },
  {
    name: 'sends an alert once, accepted or not',
    becomes: "return ended('failed')",
    catchers: [{ test: 'test/alerts/sending.test.ts', only: 'is sent again under its id until it is' }],
  },
  {
    name: 'sends alerts to an address whose owner has not confirmed it',
    becomes: '',
    catchers: [{ test: 'test/alerts/recipients.test.ts', only: 'until its owner has confirmed it' }],
  },
  {
    name: 'keeps an address for good that was never confirmed',
    becomes: 'if (at > 0) continue',
    catchers: [{ test: 'test/alerts/recipients.test.ts', only: 'that was not confirmed within seven days' }],
  },
  {
    name: 'resumes an account while Drift is asked whether it has left',
    becomes: "endedBy: ['resume', 'drift_answer', 'connect', 'new_grant'],",
    catchers: [{ test: 'test/accounts/leaving.test.ts' }],
  },
  {
    name: 'forgets at a pause that Drift is asked whether the account has left',
    becomes: 'const known = withoutReason(install)',
    catchers: [{ test: 'test/accounts/states.test.ts', only: 'an account is told' }],
  },
  {
    name: 'holds an account for good that is refused, and is listed again',
    becomes: `return { ...sendLane(install.org, number), is: isResumed ? 'resumed' : { held: hold ?? 'not_allowed' } }`,
    catchers: [{ test: 'test/accounts/states.test.ts', only: 'an account is told' }],
  },
  {
    name: 'sends to an endpoint that the settings do not list any more',
    becomes: 'return undefined',
    catchers: [{ test: 'test/accounts/destinations.test.ts' }],
  },
  {
    name: 'takes an OAuth state from any browser',
    becomes: "if (!said || !nonce || !began || !mark || browser === said) return { is: 'foreign' }",
    catchers: [{ test: 'test/accounts/install.test.ts' }, { test: 'test/console/sessions.test.ts' }],
  },
  {
    name: 'sends again what must fail again',
    becomes: `const read = (
  isTried || true ? { is: 'usable', org: shown.org, type: shown.type } : await tryAgain(needs, shown, { byToday, isToday })
) as Awaited<ReturnType<typeof tryAgain>>`,
    catchers: [{ test: 'test/operate/operate.test.ts', only: 'would fail again' }],
  },
]
