/** Every line of the bench, in the order of the table. */
import type { Line } from './line.ts'
import { accounts } from './lines/accounts.ts'
import { acknowledge } from './lines/acknowledge.ts'
import { backlog } from './lines/backlog.ts'
import { crash } from './lines/crash.ts'
import { delay } from './lines/delay.ts'
import { disk } from './lines/disk.ts'
import { endToEnd } from './lines/end-to-end.ts'
import { engines } from './lines/engines.ts'
import { erase } from './lines/erase.ts'
import { halfLoad } from './lines/half-load.ts'
import { history } from './lines/history.ts'
import { hostile } from './lines/hostile.ts'
import { idle } from './lines/idle.ts'
import { look } from './lines/look.ts'
import { loss } from './lines/loss.ts'
import { manyAccounts } from './lines/many-accounts.ts'
import { neighbour } from './lines/neighbour.ts'
import { store } from './lines/store.ts'
import { waiting } from './lines/waiting.ts'
import { waitingAlone } from './lines/waiting-alone.ts'

export const lines: readonly Line[] = [
  acknowledge,
  halfLoad,
  endToEnd,
  delay,
  loss,
  idle,
  backlog,
  waiting,
  waitingAlone,
  accounts,
  manyAccounts,
  neighbour,
  history,
  crash,
  look,
  hostile,
  disk,
  store,
  erase,
  engines,
]
