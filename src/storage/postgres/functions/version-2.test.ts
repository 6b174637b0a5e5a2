import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editions } from './version-2.ts'

test('each piece that version 2 says otherwise stands in the text of version 1', () => {
  for (const { text, edits } of editions)
    edits.reduce((said, [piece, inItsPlace]) => {
      assert.ok(said.includes(piece), piece)
      return said.replaceAll(piece, () => inItsPlace)
    }, text)
})
