/** A link to a heading of a document leads to a heading that is there. */
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { isProduct, readTree } from '../tree.ts'

/** As the pages of GitHub name a heading: small letters, without punctuation, with dashes for spaces. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

test('links to headings lead to one', () => {
  const documents = readTree()
    .filter(({ path }) => path.endsWith('.md'))
    .map(({ path, text }) => ({ path, text: text.replace(/^ *```[\s\S]*?^ *```/gm, '') }))
  const anchors = new Map(
    documents.map(({ path, text }) => [
      path,
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!)),
    ]),
  )
  const links = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s:]*)#([^)\s]+)\)/g)].map(([, file = '', anchor = '']) => ({ path, file, anchor })),
  )
  const broken = links.filter(({ path, file, anchor }) => {
    const to = file === '' ? path : posix.join(posix.dirname(path), file)
    return !anchors.get(to)?.includes(anchor)
  })
  assert.ok(links.length > 20)
  assert.deepEqual(broken, [])
})

test('the documents that messages name are there', () => {
  const tree = readTree()
  const named = tree
    .filter(isProduct)
    .flatMap(({ path, bare }) => [...bare.matchAll(/\bdocs\/[\w-]+\.md\b/g)].map(([document]) => ({ path, document })))
  assert.ok(named.length > 5)
  assert.deepEqual(
    named.filter(({ document }) => !tree.some(({ path }) => path === document)),
    [],
  )
})
