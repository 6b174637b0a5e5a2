import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editions as second } from './version-2.ts'
import { editions as third } from './version-3.ts'

for (const [version, editions] of [second, third].entries())
  test(`each piece that version ${version + 2} says otherwise stands in the text of version 1`, () => {
    for (const { text, edits } of editions)
      edits.reduce((said, [piece, inItsPlace]) => {
        assert.ok(said.includes(piece), piece)
        return said.replaceAll(piece, () => inItsPlace)
      }, text)
  })
