/**
 * What a whole run prints: a line as each file ends, each failure under its whole title and each reason to skip, then
 * the runner's own totals.
 */
import { relative } from 'node:path'
import { Readable } from 'node:stream'
import type { EventData } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'

async function* withoutPasses(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  /** The titles that a test stands under, its own as the last. */
  const titles: string[] = []
  for await (const event of events) {
    const { type, data } = event
    if (type === 'test:start') {
      titles.splice(data.nesting, titles.length, data.name)
      continue
    }
    if (type === 'test:pass' && data.skip === undefined) continue
    if (type === 'test:summary' && data.file !== undefined)
      yield { type: 'test:stdout', data: { file: data.file, message: lineOf(data.file, data) } }
    else if (type === 'test:fail')
      yield { type, data: { ...data, name: [...titles.slice(0, data.nesting), data.name].join(' › ') } }
    else yield event
  }
}

function lineOf(file: string, { counts, duration_ms }: EventData.TestSummary): string {
  const { tests, passed, skipped, todo } = counts
  const failed = tests - passed - skipped - todo
  const said = `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}`
  return `${relative('.', file)}: ${said} in ${(duration_ms / 1000).toFixed(1)} s\n`
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withoutPasses(events)).compose(new spec())
}
