import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditPage } from './audit.ts'

const session = { org: '7', csrf: 'c', who: 'x', provenAt: 0 }
const entry = { at: Date.UTC(2026, 10, 24, 12), org: '7', who: 'Drift admin' }
const shown = async (what: string, about: string) =>
  String(await auditPage({ session, auditEntries: [{ ...entry, what, about }], group: 'data', range: '7d', more: 200 }))

test('the audit says what was done in plain verbs, and leads to the event', async () => {
  const text = await shown('looked at data', 'drift-abc')
  assert.match(text, /<strong>Viewed personal data<\/strong>/)
  assert.match(text, /href="\/console\/events\/drift-abc"/)
})

test('what another version has written is shown as it stands', async () => {
  assert.match(await shown('did <something> new', ''), /<strong>did &lt;something&gt; new<\/strong>/)
})

test('the audit names a person by a code that does not say who that is', async () => {
  const text = await shown('erased a person', `contact ${'ab12'.repeat(8)}: 2 events, 1 conversations`)
  assert.match(text, /Contact known as <code[^>]*>ab12ab12<\/code>: 2 events, 1 conversations/)
})

test('the audit names options as the form does, by whatever door they were chosen', async () => {
  const said = 'destination 1: Send a userId; Properties and traits that are not sent; also for queued events'
  const text = await shown('chose options of what is sent', 'destination 1: userId, drop, also what waits')
  assert.ok(text.includes(said), text)
  assert.match(await shown('chose options of what is sent', 'destination 2: no options'), /2: every option is off</)
})

test('the next page of the audit keeps the filter', async () => {
  assert.match(await shown('paused', ''), /href="\/console\/audit\?group=data&amp;range=7d&amp;show=200"/)
})
