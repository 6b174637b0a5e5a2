import assert from 'node:assert/strict'
import { test } from 'node:test'
import { searchTermIn } from './search.ts'

const found: [typed: string, term: object][] = [
  ['', {}],
  ['  ', {}],
  [' 3339562 ', { either: '3339562' }],
  ['drift-AZNdL0gAWlpaWlpaWlpaWlpaWlpa', { message: 'drift-AZNdL0gAWlpaWlpaWlpaWlpaWlpa' }],
  ['drift-AZNdL0gAWlpa.2.r1.lc', { message: 'drift-AZNdL0gAWlpa' }],
  ['https://app.drift.com/conversations/2451083', { conversation: '2451083' }],
  ['app.drift.com/conversations/2451083?tab=1#x', { conversation: '2451083' }],
  ['https://app.drift.com/inboxes/7/conversations/2451083', { conversation: '2451083' }],
  ['https://app.drift.com/contacts/details/3339562', { contact: '3339562' }],
  ['https://app.drift.com/contacts/3339562/', { contact: '3339562' }],
  ['https://app.drift.com/contacts/3339562/conversations/2451083', { conversation: '2451083' }],
]
for (const [typed, term] of found)
  test(`“${typed}” is searched as ${JSON.stringify(term)}`, () => assert.deepEqual(searchTermIn(typed), term))

for (const typed of [
  'ann@example.com',
  'Ann',
  'https://app.drift.com/settings/apps',
  'https://app.drift.com/conversations/12345678901234567890',
  '12345678901234567890',
  'x'.repeat(600),
  'a\0b',
  '1\u200b2',
  "drift-1' OR 1=1",
])
  test(`“${typed.slice(0, 60)}” says what can be searched for, and searches nothing`, () => {
    const term = searchTermIn(typed)
    assert.ok('wrong' in term)
    assert.match(term.wrong, /^[A-Z].*\.$/)
  })
