/** The receiver as the lines use it: they start it, set how it answers, and read what has arrived. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Running, start } from './process.ts'
import type { Mode, Report } from './receiver.ts'

export interface Segment extends Running {
  mode(mode: Mode): Promise<void>
  report(ids?: 'ids'): Promise<Report>
  /** Resolves once so many have arrived, or with what has when for `patienceMs` nothing new came. */
  until(events: number, patienceMs?: number): Promise<Report>
}

export async function startSegment(mode: Mode = {}): Promise<Segment> {
  const running = await start('bench/receiver.ts')
  const segment: Segment = {
    ...running,
    async mode(next) {
      await fetch(`${running.url}/mode`, { method: 'POST', body: JSON.stringify(next) })
    },
    report: async (ids) => (await (await fetch(`${running.url}/report${ids ? '?ids' : ''}`)).json()) as Report,
    async until(events, patienceMs = 10_000) {
      let report = await segment.report()
      let changedAt = performance.now()
      while (report.events < events && performance.now() - changedAt < patienceMs) {
        await pause(50)
        const next = await segment.report()
        if (next.events > report.events) changedAt = performance.now()
        report = next
      }
      return report
    },
  }
  await segment.mode(mode)
  return segment
}
