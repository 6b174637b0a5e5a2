/**
 * The catalogue of bad input that this service is held to: W for webhooks, L for command line and settings, O for
 * installs by OAuth, C for the console. A row is named at the head of the test that shows it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTest, readTree } from '../tree.ts'

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => String(from + n).padStart(2, '0'))
const rows = [
  ...[...numbers(1, 37), ...numbers(40, 56), ...numbers(60, 66), ...numbers(70, 73)].map((n) => `W${n}`),
  ...numbers(1, 20).map((n) => `L${n}`),
  ...numbers(1, 22).map((n) => `O${n}`),
  ...numbers(1, 24).map((n) => `C${n}`),
]

/** Where a row is shown only in part, or otherwise than the catalogue has it, and why. */
const notes: Readonly<Record<string, string>> = {
  W02: 'equal times: tokens are compared by their digests, all of them; no test measures it',
  W04: 'a token in the body is as good as one in the header',
  W11: 'the Content-Type is not judged: what is authentic is kept',
  W12: 'the same',
  W20: 'up to ten thousand connections; more are refused by the listener, which no test here tries',
  W60: 'across replicas: with the PostgreSQL engine',
  W62: 'an event with a time of its own is one event for 30 days',
  W71: 'there is no quota: no authentic webhook is refused; fairness is in who is sent first',
  W72: 'how fast: measured by the bench, asserted by no test',
  L04: 'names of others are not ours to refuse: `doctor` points at those that look misspelt',
  L08: 'partners are reached by https alone, so an address inside a network answers with no certificate for it',
  L13: '`doctor` compares clocks; a clock that is wrong makes every certificate wrong, which the log then says',
  L14: 'a proxy of the environment is not used by the one home of outgoing requests',
  L15: 'a heap too small for the program ends it like kill -9 does, which the crash tests show',
  O01: 'in the log and the metrics, not in the audit: nobody could say whose account it was',
  O02: 'a state of 40 kB is refused by the listener, with 431',
  O20: 'beginning keeps nothing, so there is nothing to bound; of those that come back at most four talk to Drift at once, the others get 503',
}

test('each row of the catalogue has a test that names it', () => {
  const said = readTree()
    .filter((file) => isTest(file) && file.path !== 'test/webhook/bad-input-rows.test.ts')
    .map(({ bare }) => bare)
    .join('\n')
  const homeless = rows.filter((row) => !new RegExp(`\\b${row}\\b`).test(said))
  assert.deepEqual(homeless, [])
  const strange = Object.keys(notes).filter((row) => !rows.includes(row))
  assert.deepEqual(strange, [], 'these are no rows')
})
