/** Every promise of every engine: the sentences of ports/, noun by noun. */

import type { Promised } from './conformance.ts'
import { accountPromises } from './conformance-accounts.ts'
import { messagePromises } from './conformance-alert-messages.ts'
import { alertPromises } from './conformance-alerts.ts'
import { appendPromises } from './conformance-append.ts'
import { askingPromises } from './conformance-asking.ts'
import { attemptPromises } from './conformance-attempts.ts'
import { claimPromises } from './conformance-claim.ts'
import { clockPromises } from './conformance-clock.ts'
import { crashPromises } from './conformance-crashes.ts'
import { destinationPromises } from './conformance-destinations.ts'
import { historyPromises } from './conformance-history.ts'
import { jobPromises } from './conformance-jobs.ts'
import { lanePromises } from './conformance-lanes.ts'
import { leasePromises } from './conformance-leases.ts'
import { ledgerPromises } from './conformance-ledger.ts'
import { lookupPromises } from './conformance-lookup.ts'
import { mappingPromises } from './conformance-mapping.ts'
import { oncePromises } from './conformance-once.ts'
import { pagePromises } from './conformance-pages.ts'
import { resendingPromises } from './conformance-resending.ts'
import { retentionPromises } from './conformance-retention.ts'
import { retryPromises } from './conformance-retry.ts'
import { snapshotPromises } from './conformance-snapshot.ts'
import { ticketPromises } from './conformance-tickets.ts'

export const promises: readonly Promised[] = [
  ...accountPromises,
  ...appendPromises,
  ...askingPromises,
  ...crashPromises,
  ...lanePromises,
  ...leasePromises,
  ...ledgerPromises,
  ...retentionPromises,
  ...alertPromises,
  ...messagePromises,
  ...attemptPromises,
  ...claimPromises,
  ...clockPromises,
  ...destinationPromises,
  ...jobPromises,
  ...lookupPromises,
  ...mappingPromises,
  ...historyPromises,
  ...oncePromises,
  ...pagePromises,
  ...resendingPromises,
  ...retryPromises,
  ...snapshotPromises,
  ...ticketPromises,
]
