/** GLOSSARY.md and docs/states.md have the states that the code has, and the words that the console shows for them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { states } from '../../src/cli/store.ts'
import { deletionType } from '../../src/drift/envelope.ts'
import { wordOf, words } from '../../src/web/console/ui/vocabulary.ts'
import { readTree } from '../tree.ts'

const tree = readTree()
const textOf = (path: string) => tree.find((file) => file.path === path)!.text
const glossary = textOf('GLOSSARY.md')

/** The rows of a table, cell by cell, without its head. */
function rowsOf(markdown: string): string[][] {
  const rows = markdown.split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(2).map((row) => row.slice(2, -2).split(' | '))
}

const [, statesTable = ''] = /<!-- states -->\n([\s\S]*?)<!-- \/states -->/.exec(glossary) ?? []
const [, termsTable = ''] = glossary.split('\n## Terms\n')
/** What may stand beside a state, and changes what the console calls it. */
const reasons = [undefined, 'paused', deletionType]

describe('the glossary', () => {
  test('has every state of an event, with all that the console calls it', () => {
    const wanted = states.map((state) => {
      const labels = reasons.map((reason) => words[wordOf({ state, ...(reason ? { reason } : {}) })].label)
      return [`\`${state}\``, ...new Set(labels)]
    })
    const written = rowsOf(statesTable).map(([state = '', said = '']) => [
      state,
      ...said.split(/, or /).map((one) => one.replace(/ where .*/, '')),
    ])
    assert.deepEqual(written, wanted)
  })

  test('says each state and each of about twenty terms in one sentence, the terms in order', () => {
    const terms = rowsOf(termsTable)
    assert.ok(terms.length >= 18 && terms.length <= 28, `${terms.length} terms`)
    const sentences = [
      ...terms.map(([term, said]) => [term, said]),
      ...rowsOf(statesTable).map(([term, , said]) => [term, said]),
    ]
    for (const [term, said = ''] of sentences) assert.match(said, /^[A-Z][^.]*\.$/, term)
    const names = terms.map(([term]) => term!.toLowerCase())
    assert.deepEqual(names, names.toSorted())
  })
})

test('docs/states.md has a row for each state that an event is kept in, and no other', () => {
  const [, section = ''] = textOf('docs/states.md').split('\n## An entry\n')
  const rows = rowsOf(section.split('\n## ')[0]!)
  assert.deepEqual(rows.map(([state]) => state).sort(), states.map((state) => `\`${state}\``).sort())
})
