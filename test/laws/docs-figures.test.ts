/**
 * Figures that a sentence repeats of the tables of docs/performance.md: who measures a line again is led to the sentences that
 * speak of it. And sizes of what is served.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reserveScripts } from '../../src/web/bridge.ts'
import { readTree } from '../tree.ts'

const tree = readTree()
const textOf = (path: string) => tree.find((file) => file.path === path)!.text

const columns = ['this', 'reference', 'ratio'] as const
type Column = (typeof columns)[number]

/** The first row of each name, without units. */
const rows = new Map<string, Readonly<Record<Column, string>>>()
for (const [, name = '', ...cells] of textOf('docs/performance.md').matchAll(
  /^\| ([^|]+) \| ([^|]+) \| ([^|]*) \| ([^|]*) \| [^|]*\|$/gm,
)) {
  const [ours = '', reference = '', ratio = ''] = cells.map((cell) => /^[\d.,]*/.exec(cell.trim())![0])
  if (!rows.has(name)) rows.set(name, { this: ours, reference, ratio })
}

/** `{name > column}` stands for that figure, `{name > column ~1}` for it with one decimal. */
const sentences: readonly [path: string, words: string][] = [
  [
    'docs/performance.md',
    'That reference does {acknowledgements at 64 connections > reference} a second at 64 connections, at {CPU an event, webhook to acknowledgement > reference} µs of CPU each; the service takes {CPU an event, webhook to acknowledgement > this} µs.',
  ],
  [
    'docs/performance.md',
    'A third is missed at 256 connections ({acknowledgements at 256 connections > ratio}), at 64 ({acknowledgements at 64 connections > ratio}) and at 16 ({acknowledgements at 16 connections > ratio});',
  ],
  [
    'docs/performance.md',
    'it does {events a second, webhook to Segment, sustained > reference} in the rounds of the table, at {CPU an event, webhook to Segment > reference} µs an event, and keeps nothing',
  ],
  [
    'docs/performance.md',
    "it is {events a second, webhook to Segment, sustained > ratio} times its rate at {CPU an event, webhook to Segment > ratio} times its CPU. Of the {CPU an event, webhook to Segment > this} µs the main thread takes {webhook to Segment: the main thread > this} and the writing thread {webhook to Segment: the store's writing thread > this}, with {commits of SQLite an event, webhook to Segment > this} commits, {statements an event, webhook to Segment > this ~1} statements and {pages of SQLite's log an event, webhook to Segment > this ~1} pages an event.",
  ],
  [
    'docs/performance.md',
    "less than the peer's ({webhook to Segment: the main thread > reference}), and the store comes on top",
  ],
  [
    'docs/performance.md',
    "({a quiet account's p99, webhook to Segment, while another sends a hundred times as much > this} ms to {a quiet account's p99, webhook to Segment, while another sends a hundred times as much > reference};",
  ],
  [
    'docs/performance.md',
    "a backlog goes at {events a second from a backlog of 60,000 > ratio} times the rate of Segment's own library, and the aim is 2.2",
  ],
  ['docs/performance.md', '{p99 of acknowledgement at half of that rate > this} ms at half load, where 10 is the aim.'],
  [
    'docs/performance.md',
    'has a p99 of {p99 of acknowledgement at half of that rate > reference} ms on that machine at the same rate',
  ],
  [
    'docs/performance.md',
    "receiving alone took {statements an event, webhook to acknowledgement > this ~1} statements, {commits of SQLite an event, webhook to acknowledgement > this} commits and {pages of SQLite's log an event, webhook to acknowledgement > this ~1} pages an event, {webhook to acknowledgement: the main thread > this} µs on the main thread and {webhook to acknowledgement: the store's writing thread > this} on the writing thread",
  ],
  [
    'docs/performance.md',
    "in groups of 25 of one account {the store's writing thread, an event, SQLite, groups of 25, one destination, one account > this} µs on the writing thread, {pages of the log, an event, SQLite, groups of 25, one destination, one account > this ~1} pages and {bytes on disk, an event, SQLite, groups of 25, one destination, one account > this} bytes on disk, where 23, 0.95 and 900 are the aims; each further destination {each further destination of an event, SQLite, groups of 25, 3 destinations, one account > this} µs,",
  ],
  [
    'docs/performance.md',
    "At full load, where several groups share transactions, an event is {webhook to Segment: the store's writing thread > this} µs and {pages of SQLite's log an event, webhook to Segment > this ~1} pages.",
  ],
  [
    'docs/performance.md',
    'goes at {events from webhook to Segment, 300 accounts in turn > ratio} times the rate of one account',
  ],
  [
    'docs/performance.md',
    "Their CPU is {the service's CPU an event, three replicas, 64 connections in all > ratio} times that of one replica and their rate {events from webhook to Segment, three replicas, 64 connections in all > ratio} times",
  ],
  [
    'docs/performance.md',
    'takes {statements an event, 300 accounts, PostgreSQL > this ~1} with one replica now, {statements an event, 300 accounts, PostgreSQL, three replicas together > this ~1} with three',
  ],
  [
    'docs/performance.md',
    '| acknowledgements at 64 connections, to plain node:http | {acknowledgements at 64 connections > ratio} |',
  ],
  [
    'docs/performance.md',
    "| webhook to Segment, rate to the peer's | {events a second, webhook to Segment, sustained > ratio} |",
  ],
  ['docs/performance.md', "| webhook to Segment, CPU to the peer's | {CPU an event, webhook to Segment > ratio} |"],
  ['docs/performance.md', '| p99 at half load | {p99 of acknowledgement at half of that rate > this} ms |'],
  [
    'docs/performance.md',
    "| a backlog, rate to Segment's library | {events a second from a backlog of 60,000 > ratio} |",
  ],
  [
    'docs/performance.md',
    '| one replica, 64 connections | 0.42 | 0.14, 0.08 | {statements an event, one replica on PostgreSQL > this} |',
  ],
  [
    'docs/performance.md',
    '| three replicas, 64 connections in all | 0.59 | 0.34, 0.33 | {statements an event, three replicas, 64 connections in all > this} |',
  ],
  [
    'docs/performance.md',
    "| the services' CPU an event with one replica | 590 µs | 531, 239 µs | {the service's CPU an event, one replica on PostgreSQL > this} µs |",
  ],
  [
    'docs/performance.md',
    'p50 from webhook to Segment | 86 to 208 ms | {webhook to Segment at 167/s, p50, one account, PostgreSQL > this} ms |',
  ],
  [
    'docs/performance.md',
    'events a second from webhook to Segment | 1,198 | {events from webhook to Segment, one replica on PostgreSQL > this} |',
  ],
  [
    'docs/performance.md',
    '| 5,755 µs | {CPU of the server, an event, PostgreSQL, groups of 25, 3 destinations, one account > this} µs |',
  ],
  [
    'docs/performance.md',
    '| 2,733 µs | {CPU of the server, an event, PostgreSQL, groups of 25, one destination, one account, while a dump reads an older state > this} µs |',
  ],
  [
    'docs/performance.md',
    "and this one takes {the store's writing thread, an event, SQLite, groups of 1, one destination, one account > this} and {pages of the log, an event, SQLite, groups of 1, one destination, one account > this ~1}:",
  ],
  [
    'docs/performance.md',
    '| 2,430 µs | {CPU of the server, an event, PostgreSQL, groups of 25, one destination, one account > this} µs |',
  ],
  [
    'docs/performance.md',
    '({webhook to Segment at 50/s beside a backfill, p99, PostgreSQL > ratio} times as long as alone',
  ],
  [
    'docs/performance.md',
    'JSON.parse needs ({webhook to acknowledgement: the main thread > reference} in the rounds of the table)',
  ],
  [
    'docs/performance.md',
    "Home's week and one list on SQLite ({console with 1,000,000 entries on SQLite, Home: its slowest address > this} and {console with 1,000,000 entries on SQLite, Events: its slowest address > this} ms",
  ],
  [
    'docs/performance.md',
    'one list on PostgreSQL ({console with 1,000,000 entries on PostgreSQL, Events: its slowest address > this} ms)',
  ],
  [
    'docs/operate.md',
    'took {erase a person of 200 events, 1,000,000 stored, beside 200 webhooks a second > this} ms beside 200 webhooks a second, whose p99 was {p99 of acknowledgement meanwhile > this} ms meanwhile and {p99 of acknowledgement meanwhile > reference} ms without',
  ],
  [
    'docs/size.md',
    '[{bytes on disk an event, of a webhook of 640 bytes, sealed and indexed > this} bytes](performance.md#how-many-bytes-does-an-event-take-on-disk) of a webhook of 640 bytes',
  ],
]

for (const [path, words] of sentences)
  test(`${path} says what the tables say: ${words.replace(/\{[^}]*\}/g, '…').slice(0, 80)}`, () => {
    const said = words.replace(/\{(.+?) > (\w+)( ~1)?\}/g, (_, name: string, column: string, isRounded?: string) => {
      const figure = rows.get(name)?.[column as Column] ?? assert.fail(`no table has a row “${name}”`)
      return isRounded ? Number(figure).toFixed(1) : figure
    })
    assert.ok(textOf(path).replace(/\s+/g, ' ').includes(said), `${path} should say: ${said}`)
  })

test('docs/performance.md says how many processors the aims of rates before would take', () => {
  const figure = (name: string, column: Column) => Number(rows.get(name)![column].replaceAll(',', ''))
  const rate = Math.round((0.6 * figure('acknowledgements at 64 connections', 'reference')) / 100) * 100
  const receiving = (rate * figure('CPU an event, webhook to acknowledgement', 'this')) / 1e6
  const cpu = figure('CPU an event, webhook to Segment', 'this')
  const sending = (5 * figure('events a second, webhook to Segment, sustained', 'reference') * cpu) / 1e6
  const text = textOf('docs/performance.md').replace(/\s+/g, ' ')
  for (const said of [
    `0.6 of the rate, ${rate.toLocaleString('en')} a second, would be ${receiving.toFixed(1)} processors`,
    `Five times that, at the service's ${cpu} µs, would be ${sending.toFixed(1)} processors.`,
  ])
    assert.ok(text.includes(said), `docs/performance.md should say: ${said}`)
})

test('no page of the console has a query that is slower than the one that docs/performance.md names', () => {
  const slowest = [...rows].flatMap(([name, row]) => (name.endsWith(': the slowest query') ? [Number(row.this)] : []))
  assert.ok(slowest.length > 20)
  assert.ok(
    textOf('docs/performance.md').includes(`The slowest query of a page takes ${Math.max(...slowest)} ms.`),
    `it takes ${Math.max(...slowest)} ms`,
  )
})

test('docs/bridge.md says how large the reserve is, without and with the loading of Drift and Segment', () => {
  const kilobytes = (text: string) => (Buffer.byteLength(text.trim()) / 1_000).toFixed(1)
  const { sends, loads } = reserveScripts
  const said = `the **reserve**, of ${kilobytes(sends)} kB, or of ${kilobytes(loads)} kB with \`--drift\` or \`--segment\``
  assert.ok(textOf('docs/bridge.md').replace(/\s+/g, ' ').includes(said), said)
})
