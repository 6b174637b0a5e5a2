/** What a run has shown, as data and for people. Nothing in it that was not counted. */
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { elsewhere, faults, type Row } from './faults.ts'
import { scenarios } from './scenarios/index.ts'
import { describe, type Summary } from './simulation/seeds.ts'
import type { Outcome } from './torture.ts'

/** Sequences of steps that stores of an engine took as their model in memory did; `broken` says what they did not. */
export interface Walked {
  engine: string
  sequences: number
  broken: string | undefined
}

export interface Report {
  at: string
  seed: number
  minutes: number
  engines: readonly string[]
  machine: { node: string; system: string; cpus: number; memoryGiB: number; version: string }
  held: boolean
  /** Outcomes over all worlds. */
  totals: Record<Total, number>
  /** With so many runs without a loss, its likelihood in one is below 3/N, with 95 % confidence (rule of three). */
  bounds: { runs: number; perRun: number; events: number; perEvent: number }
  rows: { row: Row; what: string; runs: number; broken: number; note: string }[]
  scenarios: { scenario: string; engine: string; runs: number; broken: number; seconds: number; note: string }[]
  impossible: Outcome['impossible']
  simulated: Summary
  walked: readonly Walked[]
  broken: { engine: string; world: number; seed: number; what: string[] }[]
}

const totals = [
  'posts',
  'events',
  'accepted',
  'delivered',
  'dead',
  'held',
  'ignored',
  'expired',
  'transmissions',
  'retransmissions',
  'duplicates',
  'lost',
  'late',
  'invented',
  'misdirected',
  'reordered',
  'changed',
  'unchosen',
  'connectedAgain',
] as const
type Total = (typeof totals)[number]

export function reportOf(
  { options, startedAt, ms, ran, audits, impossible }: Outcome,
  simulated: Summary,
  walked: readonly Walked[],
): Report {
  const sum = (name: Total) =>
    audits.reduce((all, audit) => all + (typeof audit[name] === 'number' ? audit[name] : audit[name].length), 0)
  const counted = Object.fromEntries(totals.map((name) => [name, sum(name)])) as Report['totals']
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const rows = (Object.keys(faults) as Row[]).map((row) => {
    const names = scenarios.filter((one) => one.rows.includes(row)).map(({ name }) => name)
    const runs = ran.filter(({ scenario }) => names.includes(scenario))
    const seeds = row === 'F32' ? [`and ${simulated.seeds} seeds of the simulation`] : []
    const why = impossible.filter(({ scenario }) => names.includes(scenario)).map((one) => `${one.engine}: ${one.why}`)
    const note = [
      ...seeds,
      ...(runs.length === 0 ? [elsewhere[row] ?? (names.length > 0 ? 'not met in this run' : 'not run')] : []),
      ...new Set(why),
    ]
    return {
      row,
      what: faults[row],
      runs: runs.length,
      broken: runs.filter(({ broken }) => broken.length > 0).length,
      note: note.join('; '),
    }
  })
  const byName = new Map<string, typeof ran>()
  for (const one of ran) {
    const key = `${one.engine} ${one.scenario}`
    byName.set(key, [...(byName.get(key) ?? []), one])
  }
  return {
    at: new Date(startedAt).toISOString(),
    seed: options.seed,
    minutes: Math.round(ms / 6_000) / 10,
    engines: options.engines,
    machine: {
      node: process.version,
      system: `${process.platform} ${release()}`,
      cpus: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      version,
    },
    held:
      audits.every(({ broken }) => broken.length === 0) &&
      simulated.broken.length === 0 &&
      walked.every(({ broken }) => broken === undefined),
    totals: counted,
    bounds: {
      runs: ran.length,
      perRun: 3 / Math.max(ran.length, 3),
      events: counted.accepted,
      perEvent: 3 / Math.max(counted.accepted, 3),
    },
    rows,
    scenarios: [...byName.values()].map((runs) => ({
      scenario: runs[0]!.scenario,
      engine: runs[0]!.engine,
      runs: runs.length,
      broken: runs.filter(({ broken }) => broken.length > 0).length,
      seconds: Math.round(runs.reduce((all, one) => all + one.ms, 0) / 100) / 10,
      note: runs.findLast(({ note }) => note !== undefined)?.note ?? '',
    })),
    impossible,
    simulated,
    walked,
    broken: audits
      .filter(({ broken }) => broken.length > 0)
      .map(({ engine, world, seed, broken }) => ({ engine, world, seed, what: broken })),
  }
}

const words: Partial<Record<Total, string>> = {
  posts: 'webhooks posted, repeats among them',
  events: 'different events',
  accepted: 'of them answered 200',
  delivered: 'delivered: Segment has them',
  dead: 'dead, with their reason',
  held: 'held, with their reason',
  ignored: 'ignored (counted each time)',
  expired: 'expired: their account left',
  lost: '**lost**',
  late: '**late**: shown as waiting or held, and not delivered in time',
  invented: '**invented**',
  misdirected: '**sent to the wrong account**',
  reordered: '**reordered for a contact**',
  changed: '**under another messageId, or with another text, at another attempt**',
  unchosen: '**at a second destination otherwise than its options have it**',
  transmissions: 'messages sent to Segment',
  retransmissions: 'of them sent again',
  duplicates: '**duplicates after messageId**',
  connectedAgain: 'grants lost with a process or an answer, so that a person connected the account again',
}

export function markdownOf(report: Report): string {
  const { at, seed, minutes, engines, machine, held, bounds, rows } = report
  const share = (part: number) => `${(part * 100).toPrecision(2)} %`
  return [
    '# What the torture found',
    '',
    `${held ? 'Every invariant held.' : '**Not every invariant held: see the end.**'} Run at ${at} for ${minutes} minutes ` +
      `with seed ${seed} on ${engines.join(' and ')}; drift-segment-source ${machine.version}, Node ${machine.node}, ` +
      `${machine.system}, ${machine.cpus} cpus, ${machine.memoryGiB} GiB. How to run it and what it proves: [torture](torture.md).`,
    '',
    ...table(
      ['counted', 'number'],
      totals.map((name) => [words[name] ?? name, report.totals[name].toLocaleString('en')]),
    ),
    '',
    report.totals.lost === 0
      ? `No loss in ${bounds.runs} runs of a scenario and ${bounds.events.toLocaleString('en')} events answered 200: with 95 % confidence ` +
        `fewer than ${share(bounds.perRun)} of such runs, and ${share(bounds.perEvent)} of such events, lose one (rule of three).`
      : `**${report.totals.lost} of ${bounds.events.toLocaleString('en')} events answered 200 are neither at Segment nor shown by the service.**`,
    '',
    '## The list of faults',
    '',
    ...table(
      ['row', 'fault', 'runs', 'broken', ''],
      rows.map(({ row, what, runs, broken, note }) => [row, what, runs, broken, note]),
    ),
    '',
    '## The scenarios, one by one',
    '',
    ...table(
      ['scenario', 'engine', 'runs', 'broken', 'seconds in all', 'the last one'],
      report.scenarios.map((one) => [one.scenario, one.engine, one.runs, one.broken, one.seconds, one.note]),
    ),
    '',
    '## The simulation',
    '',
    ...describe(report.simulated)
      .split('\n')
      .map((line) => `- ${line}`),
    ...report.walked.map(
      ({ engine, sequences, broken }) =>
        `- ${engine}: ${broken === undefined ? `${sequences} sequences of steps ended as in memory` : `BROKEN  ${broken.slice(0, 600)}`}`,
    ),
    ...(report.impossible.length > 0
      ? [
          '',
          '## Not possible here',
          '',
          ...table(
            ['scenario', 'engine', 'why'],
            report.impossible.map((one) => [one.scenario, one.engine, one.why]),
          ),
        ]
      : []),
    ...(report.broken.length > 0
      ? [
          '',
          '## Broken',
          '',
          ...table(
            ['engine', 'world', 'seed', 'what'],
            report.broken.map((one) => [one.engine, one.world, one.seed, one.what.join('; ').slice(0, 600)]),
          ),
        ]
      : []),
    '',
  ].join('\n')
}

function table(head: string[], rows: (string | number)[][]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}
