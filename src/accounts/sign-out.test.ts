import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ticket } from '../storage/ports/sessions.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { endSessions } from './sign-out.ts'

test('a sign-in link that is used while sessions end gives no session that outlives them', async () => {
  const { tickets } = openInMemory()
  const common = { org: '1', who: 'operator', at: 0, until: 1_000 }
  const link: Ticket = { ...common, kind: 'link', id: 'a link' }
  const session: Ticket = { ...common, kind: 'session', id: 'a session' }
  await tickets.issue(link)
  const used: typeof tickets = {
    ...tickets,
    async revoke(kind, org) {
      const taken = await tickets.revoke(kind, org)
      await tickets.redeem(link, 1, session)
      return taken
    },
  }
  assert.deepEqual(await endSessions(used, '1'), [link])
  assert.equal(await tickets.get(session, 1), undefined)
})
