/** Why an event that Drift lists never came, as far as that is known. */
import type { Accounts } from '../../accounts/accounts.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Ledger } from '../../storage/ports/lookup.ts'
import type { Judged } from './judge.ts'

/** `not_installed`: it happened before the account was. `ignored`: webhooks of its type were, at that time. */
export type WhyMissing = 'not_installed' | 'ignored' | 'unknown'

interface Needs {
  accounts: Pick<Accounts, 'get'>
  ledger: Pick<Ledger, 'timeBuckets'>
  clock: Clock
}

const hourMs = 3_600_000
/** What was ignored is counted by the hour for so long. */
const rememberedMs = 8 * 24 * hourMs

export async function whyMissing(
  { accounts, ledger, clock }: Needs,
  org: Org,
  type: string,
  all: readonly Judged[],
): Promise<WhyMissing[]> {
  const missing = all.filter(({ is }) => is === 'missing').map(({ listed }) => listed.at)
  const since = accounts.get(org)?.createdAt ?? 0
  const recent = missing.filter((at) => at >= Math.max(since, clock.now() - rememberedMs))
  const timeBuckets =
    recent.length > 0 ? await ledger.timeBuckets(org, Math.min(...recent) - hourMs, Math.max(...recent) + hourMs) : []
  const ignoredAt = timeBuckets.filter((one) => one.type === type && one.outcome === 'ignored').map(({ at }) => at)
  return missing.map((at) => {
    if (at < since) return 'not_installed'
    return ignoredAt.some((hour) => hour <= at + hourMs && hour + hourMs > at) ? 'ignored' : 'unknown'
  })
}
