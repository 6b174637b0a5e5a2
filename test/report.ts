/**
 * What a whole run prints: a line as each file ends, each failure under its whole title and each reason to skip, then the
 * runner's own totals. The runner gives results in the order of the files, however long the first takes; when one has
 * ended, it says at once.
 */
import { relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { EventData } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'

/** When no line was printed for so long, the next test that ends within a file gets one. */
const quietMsMax = 5_000

async function* withoutPasses(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  /** The titles that a test stands under, its own as the last. */
  const titles: string[] = []
  let lineAt = performance.now()
  for await (const event of events) {
    const { type, data } = event
    if (type === 'test:start') {
      titles.splice(data.nesting, titles.length, data.name)
      continue
    }
    if (type === 'test:pass' && data.skip === undefined) continue
    if (type === 'test:complete' && data.file !== undefined) {
      if (!isFile(data) && performance.now() - lineAt <= quietMsMax) continue
      lineAt = performance.now()
      yield { type: 'test:stdout', data: { file: data.file, message: lineOf(data) } }
    } else if (type === 'test:fail')
      yield { type, data: { ...data, name: [...titles.slice(0, data.nesting), data.name].join(' › ') } }
    else yield event
  }
}

/** The runner's own test of a file has the file's name. */
function isFile({ name, file }: EventData.TestComplete): boolean {
  return resolve(name) === file
}

function lineOf(ended: EventData.TestComplete): string {
  const what = relative('.', ended.file!) + (isFile(ended) ? '' : `: ${ended.name}`)
  const { passed, duration_ms } = ended.details
  return `${what} ${passed ? 'passed' : 'failed'} in ${(duration_ms / 1_000).toFixed(1)} s\n`
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withoutPasses(events)).compose(new spec())
}
