/** The frame that every page stands in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html } from 'hono/html'
import { page } from './layout.ts'

const evil = '"><script>alert(1)</script>'

test('whatever is put into a page stays text', async () => {
  const text = String(
    await page({ title: evil, session: { org: evil, csrf: evil }, section: 'events', body: html`<p>${evil}</p>` }),
  )
  assert.equal(text.includes('<script>alert'), false)
  assert.equal(text.match(/&lt;script&gt;alert\(1\)/g)?.length, 4)
})

test('a page holds no script, no style and no address of its own', async () => {
  const text = String(await page({ title: 'A', session: { org: '1', csrf: 'c' }, section: 'privacy', body: html`` }))
  assert.doesNotMatch(text, /<script(?![^>]* src="\/)|<style|\sstyle=|\son\w+=|https?:\/\//)
})

test('a page with a session has navigation, which says where one is', async () => {
  const alone = String(await page({ title: 'Sign in', body: html`` }))
  assert.doesNotMatch(alone, /<nav/)
  const within = String(
    await page({ title: 'Privacy', session: { org: '7', csrf: 'c' }, section: 'privacy', body: html`` }),
  )
  assert.match(within, /<a href="\/console\/privacy" aria-current="page">Privacy and audit<\/a>/)
  assert.equal(within.match(/aria-current/g)?.length, 1)
})
