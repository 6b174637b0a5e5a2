import type { Scenario } from '../scenario.ts'
import { accountTroubles } from './accounts.ts'
import { alertTroubles } from './alerts.ts'
import { diskTroubles } from './disk.ts'
import { driftTroubles } from './drift.ts'
import { erasing } from './erase.ts'
import { bringingHistory } from './history.ts'
import { kills } from './kill.ts'
import { replicaTroubles } from './replicas.ts'
import { segmentTroubles } from './segment.ts'
import { timeTroubles } from './time.ts'

/** Every trouble there is, each with the rows of the list of faults that it runs. */
export const scenarios: readonly Scenario[] = [
  ...kills,
  ...segmentTroubles,
  ...driftTroubles,
  ...timeTroubles,
  ...accountTroubles,
  ...erasing,
  ...alertTroubles,
  ...bringingHistory,
  ...diskTroubles,
  ...replicaTroubles,
]
