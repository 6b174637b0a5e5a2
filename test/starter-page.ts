/** What tests of the inline starter need: a file that is held back, and a widget that speaks. */
import type { Route } from 'playwright-core'
import type { SnippetOptions } from '../src/web/snippet.ts'
import { samples } from './bridge-page.ts'
import type { Parts, Visit } from './site.ts'

/** Options of a bridge that loads Segment and Drift. */
export const loads = ({ sims, writeKey }: Parts): Partial<SnippetOptions> => ({
  drift: 'embed1',
  driftUrl: sims.drift.url,
  segment: writeKey,
  segmentUrl: sims.segment.url,
})

/** Where the scripts come from that a page runs, for its policy. */
export const scriptsFrom = ({ service, sims }: Parts) => `${service} ${sims.segment.url} ${sims.drift.url}`

/** The file's requests wait until they are let go. */
export async function holdFile(visit: Visit): Promise<() => Promise<void>> {
  const waiting: Route[] = []
  await visit.context.route(/\/bridge[\w-]*\.js$/, (route) => void waiting.push(route))
  await visit.page.reload({ waitUntil: 'domcontentloaded' })
  return async () => {
    await visit.context.unroute(/\/bridge[\w-]*\.js$/)
    for (const route of waiting) await route.continue()
  }
}

/** The widget says something, whether anything listens or not. */
export const simulate = (visit: Visit, event: string, data: unknown = samples[event]) =>
  visit.run(`drift.simulate(${JSON.stringify(event)}, ${JSON.stringify(data)})`)
