import type { Scenario } from '../scenario.ts'
import { accountScenarios } from './accounts.ts'
import { alertScenarios } from './alerts.ts'
import { diskScenarios } from './disk.ts'
import { driftScenarios } from './drift.ts'
import { erasing } from './erase.ts'
import { bringingHistory } from './history.ts'
import { kills } from './kill.ts'
import { replicaScenarios } from './replicas.ts'
import { segmentScenarios } from './segment.ts'
import { timeScenarios } from './time.ts'

/** Every scenario, each with the rows of the list of faults that it runs. */
export const scenarios: readonly Scenario[] = [
  ...kills,
  ...segmentScenarios,
  ...driftScenarios,
  ...timeScenarios,
  ...accountScenarios,
  ...erasing,
  ...alertScenarios,
  ...bringingHistory,
  ...diskScenarios,
  ...replicaScenarios,
]
