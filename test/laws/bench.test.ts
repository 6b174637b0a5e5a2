/** The bench: its arithmetic, its table and its places in the documents, and that a line of it runs. Never a figure. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median, percentile, ratios, rotated, spreadOf } from '../../bench/arithmetic.ts'
import { costOf } from '../../bench/cost.ts'
import { withHeadlines, withSections } from '../../bench/documents.ts'
import { abreast, alone, type Bench, compared, type Line, roundsOf } from '../../bench/line.ts'
import { lines } from '../../bench/lines.ts'
import { here } from '../../bench/process.ts'
import { install, serve, settingsFor, sqlite, webhooksOf } from '../../bench/product.ts'
import { startSegment } from '../../bench/segment.ts'
import { placed, shown, tableOf } from '../../bench/table.ts'
import { firstOrg, webhookHeaders, webhookOf } from '../../bench/webhook.ts'
import { eventually } from '../clock.ts'

describe('the arithmetic', () => {
  test('the median is the one in the middle, or the mean of the two, by size and not by digits', () => {
    assert.equal(median([9, 100, 20]), 20)
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.equal(median([7]), 7)
    assert.ok(Number.isNaN(median([])))
  })

  test('a percentile is a figure that was measured', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
    assert.equal(percentile(hundred, 50), 50)
    assert.equal(percentile(hundred, 99), 99)
    assert.equal(percentile(hundred, 100), 100)
    assert.equal(percentile([3, 1, 2], 50), 2)
    assert.equal(percentile([5], 1), 5)
    assert.ok(Number.isNaN(percentile([], 50)))
  })

  test('a spread tells the median, both ends and the rounds', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3, rounds: 3 })
  })

  test('ratios are taken within a round', () => {
    assert.deepEqual(ratios([10, 30], [20, 10]), [0.5, 3])
  })

  test('the list begins one further on in each round, and nothing is lost', () => {
    assert.deepEqual(rotated(['a', 'b', 'c'], 0), ['a', 'b', 'c'])
    assert.deepEqual(rotated(['a', 'b', 'c'], 4), ['b', 'c', 'a'])
    assert.deepEqual(rotated([], 2), [])
  })

  test('two checkouts take turns in each round, and each figure has its ratio of the round', async () => {
    const ran: string[] = []
    const line: Line = {
      name: 'line',
      question: 'Is it?',
      peers: true,
      async run({ root, rounds }) {
        ran.push(`${root}${rounds}`)
        return [alone('wait', 'ms', [ran.length]), alone('rate', '/s', [10 * ran.length])]
      },
    }
    const bench = { rounds: 2, peers: false, say() {} } as unknown as Bench
    const rows = await abreast(line, 2, { ...bench, root: 'a' }, { ...bench, root: 'b' }, '../b')
    assert.deepEqual(ran, ['a1', 'b1', 'b1', 'a1'])
    assert.deepEqual(tableOf(rows).split('\n').slice(2), [
      '| wait | 2.5 ms (1.0–4.0) | 2.5 ms (2.0–3.0) ../b | 0.92× (0.50–1.33) |  |',
      '| rate | 25/s (10–40) | 25/s (20–30) ../b | 0.92× (0.50–1.33) |  |',
    ])
  })

  test('peers that are left out have no rounds, and what was to be compared with them stands alone', async () => {
    const { ours, theirs } = await roundsOf(
      { rounds: 1, peers: false, say() {} },
      { ours: async () => 3 },
      { theirs: async () => assert.fail('it was run') },
    )
    assert.deepEqual(theirs, [])
    const row = compared('answers', '/s', ours, { name: 'peer', figures: theirs })
    assert.equal(tableOf([row]).split('\n')[2], '| answers | 3.0/s |  |  |  |')
  })

  test('contenders are run in rotated order, and their results kept apart by round', async () => {
    const ran: string[] = []
    const run = (name: string) => async () => `${name}${ran.push(name)}`
    const results = await roundsOf({ rounds: 2, peers: true, say() {} }, { a: run('a') }, { b: run('b') })
    assert.deepEqual(ran, ['a', 'b', 'b', 'a'])
    assert.deepEqual(results, { a: ['a1', 'a4'], b: ['b2', 'b3'] })
  })
})

describe('the table', () => {
  test('a comparison shows both, the ratio of the rounds, and whether the aim is held', () => {
    const aim = { words: '≥ 0.6×', holds: (ratio: number) => ratio >= 0.6 }
    const row = compared('answers', '/s', [600, 800, 100], { name: 'plain', figures: [1_000, 1_000, 1_000] }, aim)
    assert.equal(
      tableOf([row]).split('\n')[2],
      '| answers | 600/s (100–800) | 1,000/s plain | 0.60× (0.10–0.80) | ≥ 0.6×: held |',
    )
  })

  test('nothing is compared with a reference that is nothing', () => {
    const row = compared('lost', 'events', [3, 0], { name: 'peer', figures: [0, 0] })
    assert.equal(tableOf([row]).split('\n')[2], '| lost | 2 events (0–3) | 0 events peer |  |  |')
  })

  test('a missed aim is said so, and one round has no spread', () => {
    const row = alone('wait', 'ms', [31.4], { words: '< 20 ms', holds: (ms) => ms < 20 })
    assert.equal(tableOf([row]).split('\n')[2], '| wait | 31 ms |  |  | < 20 ms: **missed** |')
  })

  test('small figures keep a digit, counts do not', () => {
    const one = (figure: number) => ({ median: figure, min: figure, max: figure, rounds: 1 })
    assert.equal(shown({ ...one(1.25), unit: 'ms' }), '1.3 ms')
    assert.equal(shown({ ...one(3), unit: 'events' }), '3 events')
    assert.equal(shown({ ...one(0.123), unit: 'x' }), '0.12×')
    assert.equal(shown({ ...one(1_234_567), unit: '/s' }), '1,234,567/s')
  })

  test('is put in its place, and nowhere else', () => {
    const document = 'before\n<!-- bench -->\nold\n<!-- /bench -->\nafter $1\n'
    assert.equal(placed(document, 'bench', 'new $1'), document.replace('old', 'new $$1'))
    assert.throws(() => placed('no place', 'bench', 'new'))
  })

  const measured = (question: string, what: string, ms: number) => ({
    question,
    about: `Measured for ${question}`,
    rows: [alone(what, 'ms', [ms])],
  })

  const known = ['Is it?', 'Was it?', 'Will it?'].map((question) => ({ name: question[0]!, question }))

  test('has a section for each line, and a line that is measured again replaces its own alone', () => {
    const empty = 'before\n<!-- bench -->\n| an old table |\n<!-- /bench -->\nafter\n'
    const first = withSections(empty, [measured('Was it?', 'was', 1), measured('Is it?', 'is', 2)], known)
    assert.deepEqual(first.match(/^### .*|^\| (is|was) .*|Measured.*/gm), [
      '### Is it?',
      'Measured for Is it?',
      '| is | 2.0 ms |  |  |  |',
      '### Was it?',
      'Measured for Was it?',
      '| was | 1.0 ms |  |  |  |',
    ])
    const second = withSections(first, [measured('Is it?', 'is', 3)], known)
    assert.equal(second, first.replace('2.0 ms', '3.0 ms'))
    assert.equal(withSections(second, [], known), second)
    assert.doesNotMatch(withSections(second, [], known.slice(0, 1)), /Was it/)
    assert.match(second, /measures one:\n\n- `W`: Will it\?\n\n### /)
    assert.doesNotMatch(withSections(second, [], known.slice(0, 2)), /No figures/)
    assert.match(second, /^before\n<!-- bench -->\n[\s\S]*<!-- \/bench -->\nafter\n$/)
  })

  test('README has the first row of each of its own, and says once when and on what they were measured', () => {
    const empty = '<!-- bench -->\n<!-- /bench -->\n'
    const [acknowledged, lost] = ['acknowledgements at 64 connections', 'answered 200 and lost to one kill -9 at 200/s']
    const about = (day: string, name: string) =>
      `Measured on ${day} by \`npm run bench -- --only ${name}\` in 1 min 2 s, one round, on 2 × AMD.`
    const other = { ...measured('Will it?', 'another', 1), about: about('2026-11-26', 'other') }
    const first = {
      ...measured('Is it?', lost, 4),
      about: about('2026-11-25', 'loss'),
      rows: [alone(lost, 'ms', [4]), alone(lost, 'ms', [5])],
    }
    const second = { ...measured('Was it?', acknowledged, 6), about: about('2026-11-25', 'acknowledge') }
    const readme = (...all: readonly (typeof other)[]) =>
      withHeadlines(empty, withSections(empty, all, known))
        .split('\n')
        .slice(1)
    const rows = [`| ${acknowledged} | 6.0 ms |  |  |  |`, `| ${lost} | 4.0 ms |  |  |  |`]
    const once = readme(first, second, other)
    assert.deepEqual(once.slice(0, 2), ['Measured on 2026-11-25, one round, on 2 × AMD.', ''])
    assert.deepEqual(once.slice(4, 7), [...rows, ''])
    const again = readme(first, { ...second, about: about('2026-11-26', 'acknowledge') })
    assert.deepEqual(again.slice(0, 3), [
      'Measured on 2026-11-26, one round, on 2 × AMD.',
      'Measured on 2026-11-25, one round, on 2 × AMD.',
      '',
    ])
  })

  test("README and docs/performance.md are as the bench writes them, and README's figures are those of the other", () => {
    const [readme, performance] = ['README.md', 'docs/performance.md'].map((path) =>
      readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'),
    ) as [string, string]
    const instead = 'npm run bench -- --only LINE --write measures it and writes both'
    assert.equal(withSections(performance, [], lines), performance, instead)
    assert.equal(withHeadlines(readme, performance), readme, instead)
  })
})

test('every line has a name of its own and a question in words', () => {
  assert.equal(new Set(lines.map(({ name }) => name)).size, lines.length)
  for (const { question } of lines) assert.match(question, /\?$/)
})

test('Segment counts every event, and latencies from the webhook on that it is given', async () => {
  const segment = await startSegment({ measuredFrom: 2 })
  try {
    const batch = [1, 2].map((n) => ({ properties: { conversationId: n }, timestamp: new Date().toISOString() }))
    const sent = { method: 'POST', body: JSON.stringify({ writeKey: 'key', batch }) }
    for (const _ of ['once', 'again']) await fetch(`${segment.url}/v1/batch`, sent)
    const { events, duplicates, latencies } = await segment.report()
    assert.deepEqual([events, duplicates, latencies.key?.length], [2, 2, 1])
  } finally {
    await segment.kill()
  }
})

test('the cost of an event has the pages that the log grew by, statements, and the threads of the store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-test-'))
  const env = settingsFor(sqlite, folder)
  await install(here, env, 1, 'paused')
  const service = await serve(here, env)
  try {
    const logBytes = () => statSync(join(folder, 'bench.db-wal')).size
    const post = async (n: number) => {
      const body = webhookOf(firstOrg, n, Date.now())
      const { status } = await fetch(webhooksOf(service), { method: 'POST', headers: webhookHeaders, body })
      assert.equal(status, 200)
    }
    let n = 0
    // Again where the service was at work on something else between two of the looks.
    await eventually(async () => {
      const before = logBytes()
      const { cost } = await costOf([service], async () => {
        for (let posts = 0; posts < 5; posts++) await post(++n)
        return { events: 5 }
      })
      assert.ok(cost.statements > 2, `${cost.statements} statements an event`)
      // Each of these waited for its own.
      assert.ok(cost.commits >= 1, `${cost.commits} commits an event`)
      // Each page stands in the log with a head of 24 bytes.
      const pages = (logBytes() - before) / (4_096 + 24)
      return pages > 0 && Math.round(cost.pages * 5) === pages
    })
    const { threads } = service.usage()
    assert.ok(threads.main.allMs > threads.main.kernelMs && threads['store writer'].allMs > 0, JSON.stringify(threads))
  } finally {
    await service.kill()
    await rm(folder, { recursive: true })
  }
})

test('a line runs, between the real service and the receiver, and prints its table', { timeout: 60_000 }, async () => {
  const bench = fileURLToPath(new URL('../../bench/index.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [bench, '--quick', '--only', 'idle'])
  assert.match(stdout, /^Measured on /)
  assert.match(stdout, /\| webhook to Segment when idle, p50 \| [\d.]+ ms \|/)
})

test('a quick look is not written into the documents', async () => {
  const bench = fileURLToPath(new URL('../../bench/index.ts', import.meta.url))
  await assert.rejects(promisify(execFile)(process.execPath, [bench, '--quick', '--write']), /--write writes what was/)
})

test('a line that does not exist is refused, with those that do', async () => {
  const bench = fileURLToPath(new URL('../../bench/index.ts', import.meta.url))
  const refused = promisify(execFile)(process.execPath, [bench, '--only', 'nothing'])
  await assert.rejects(refused, /idle/)
})

test('another checkout whose packages are not installed is refused', async () => {
  const bench = fileURLToPath(new URL('../../bench/index.ts', import.meta.url))
  const refused = promisify(execFile)(process.execPath, [bench, '--quick', '--against', tmpdir()])
  await assert.rejects(refused, /--against takes the folder of another checkout with its packages installed/)
})
