/** Lists and examples in documents that repeat something of the code, held to it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { commands } from '../../src/cli/index.ts'
import { failures } from '../../src/web/connect/failures.ts'
import { readTree } from '../tree.ts'

const tree = readTree()

test('dependencies: each has a line that says why, and none that is not there', () => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  const { text } = tree.find(({ path }) => path === 'docs/decisions/0002-dependencies.md')!
  const listed = [...text.matchAll(/^\| ((?:@?[a-z][\w./-]*(?:, )?)+) \|/gm)].flatMap(([, names = '']) =>
    names.split(', '),
  )
  const named = listed.filter((name) => name !== 'package')
  assert.deepEqual(named.sort(), Object.keys({ ...dependencies, ...devDependencies }).sort())
})

test('README says which commands work only while no service runs', () => {
  const apart = commands.filter(({ summary }) => summary.includes('while no service runs'))
  const named = apart.map(({ name }) => `\`${name}\``).join(' and ')
  const { text } = tree.find(({ path }) => path === 'README.md')!
  assert.ok(text.includes(`All but ${named} work beside a running service.`), named)
})

test('docs/connect.md has a row for every page that says why an account was not connected', () => {
  const { text } = tree.find(({ path }) => path === 'docs/connect.md')!
  const [, rows = ''] = text.split('\n## When it does not work\n')
  const named = [...rows.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, titles = '']) => titles.split('; '))
  const titles = Object.values(failures).map(([title]) => title)
  // “(any more)” stands for both of two titles.
  const known = new Set(named.flatMap((title) => [title, title.replace(/ \(.*\)$/, ''), title.replace(/[()]/g, '')]))
  assert.deepEqual(
    titles.filter((title) => !known.has(title)),
    [],
  )
})

test('messageIds in help and documents have the form of real ones', () => {
  const real = /^drift-[\w-]{28}$/
  const helps = tree.filter(({ path }) => path.startsWith('src/cli/') || path.endsWith('.md'))
  const shown = helps.flatMap(({ text }) =>
    [...text.matchAll(/--message (drift-\S+?)(?=['\s`]|$)/g)].map(([, id]) => id!),
  )
  assert.ok(shown.length > 2)
  for (const id of shown) assert.ok(real.test(id) || id === 'drift-…', id)
})

test('decisions: each has a number of its own, and is named by it', () => {
  const numbers = tree.flatMap(({ path }) => /^docs\/decisions\/(\d{4})-/.exec(path)?.[1] ?? [])
  const repeated = numbers.filter((number, at) => numbers.indexOf(number) !== at)
  assert.ok(numbers.length > 2)
  assert.deepEqual(repeated, [])
  for (const { path, text } of tree.filter(({ path }) => path.startsWith('docs/decisions/')))
    for (const [, number] of text.matchAll(/\b(?:by|[Ss]upersedes) (\d{4})\b/g))
      assert.ok(numbers.includes(number!), `${path} names ${number}`)
})

test('decisions: one of which a part is superseded says so at its head, and names the newer one', () => {
  const heads = tree.flatMap(({ path, text }) => {
    const [, number] = /^docs\/decisions\/(\d{4})-/.exec(path) ?? []
    const [, status = ''] = /\nStatus: ([\s\S]*?)\n\n/.exec(text) ?? []
    return number ? [{ number, status: status.replace(/\s+/g, ' ') }] : []
  })
  const taken = /(?:Supersedes|[Tt]akes the place of)\b[^.;]*?\b(\d{4})\b(?!-\d\d)|\b(\d{4}) holds but\b/g
  const pairs = heads.flatMap(({ number, status }) =>
    [...status.matchAll(taken)].map(([, one, other]) => ({ older: one ?? other, newer: number })),
  )
  assert.ok(pairs.length > 5)
  for (const { older, newer } of pairs) {
    const { status = '' } = heads.find(({ number }) => number === older) ?? {}
    assert.ok(status.includes(newer), `${older} does not name ${newer}`)
  }
})
