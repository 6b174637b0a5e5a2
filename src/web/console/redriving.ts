/**
 * Redriving as a task that a page can start, watch and cancel: one at a time for each account, in this process. When the
 * process ends, what was moved stays moved, and the rest is as it was: starting it again goes on from there.
 */
import { record } from '../../accounts/audit.ts'
import type { Clock } from '../../lib/clock.ts'
import { codeOf } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { type Mapping, type Redrive, type RedriveNeeds, redrive } from '../../operations/redrive.ts'
import type { Audit } from '../../storage/ports/accounts.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Query } from '../../storage/ports/lookup.ts'

export interface Task {
  /** Made by the page that offered it: sent twice, it is one task. */
  id: string
  who: string
  mapping: Mapping
  startedAt: number
  endedAt?: number
  state: 'running' | 'done' | 'cancelled' | 'failed'
  soFar: Pick<Redrive, 'found' | 'moved' | 'stays'>
}

export interface Redriving {
  /** What runs, or ran last since the service started. */
  of(org: Org): Task | undefined
  /** False when another one runs. */
  start(task: { org: Org; id: string; who: string; query: Query; mapping: Mapping }): Promise<boolean>
  cancel(org: Org): void
}

interface Needs {
  redriveNeeds: RedriveNeeds
  audit: Audit
  clock: Clock
  log: Log
  /** Called after events were moved. */
  wake(): void
  /** Ends what runs, after the step it is at. */
  closing: AbortSignal
}

export function openRedriving({ redriveNeeds, audit, clock, log, wake, closing }: Needs): Redriving {
  const tasks = new Map<Org, Task>()

  async function run(org: Org, task: Task, query: Query): Promise<void> {
    try {
      const goOn = ({ found, moved, stays }: Redrive) => {
        task.soFar = { found, moved, stays: { ...stays } }
        wake()
        return task.state === 'running' && !closing.aborted
      }
      const { found, moved, stays } = await redrive(redriveNeeds, query, { mapping: task.mapping, dryRun: false, goOn })
      task.soFar = { found, moved, stays }
      if (task.state === 'running') task.state = 'done'
    } catch (error) {
      task.state = 'failed'
      log.error('redrive_failed', { org, code: codeOf(error) })
    }
    task.endedAt = clock.now()
    const { state, soFar, who } = task
    const about = `${soFar.moved} events, mapping of ${task.mapping}, ${state}`
    await record({ audit, clock }, { org, who, act: 'redrove', about }).catch(() => {})
  }

  return {
    of: (org) => tasks.get(org),
    async start({ org, id, who, query, mapping }) {
      const last = tasks.get(org)
      if (last?.id === id) return true
      if (last?.state === 'running') return false
      const soFar = { found: 0, moved: 0, stays: {} }
      const task: Task = { id, who, mapping, startedAt: clock.now(), state: 'running', soFar }
      tasks.set(org, task)
      await record({ audit, clock }, { org, who, act: 'startedRedrive', about: `mapping of ${mapping}` })
      void run(org, task, query)
      return true
    },
    cancel(org) {
      const task = tasks.get(org)
      if (task?.state === 'running') task.state = 'cancelled'
    },
  }
}
