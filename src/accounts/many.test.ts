import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Inbox } from '../storage/ports/inbox.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { followStates, openAccounts } from './accounts.ts'

/** How often the inbox is asked while a process with so many accounts starts. */
async function asksOfStart(accountCount: number): Promise<number> {
  const { inbox, installs } = openInMemory()
  const common = { state: 'live', settings: '{}', createdAt: 1, updatedAt: 1, generation: 0 } as const
  for (let org = 1; org <= accountCount; org++) await installs.save({ ...common, org: String(org) })
  let asks = 0
  const counting = new Proxy(inbox, {
    get: (target, method) => {
      asks++
      return target[method as keyof Inbox]
    },
  })
  const accounts = await openAccounts(installs, counting)
  await accounts.reload(2)
  await followStates(counting, accounts.all(), 2)
  return asks
}

test('a process asks the inbox no more often when it starts with three hundred accounts than with three', async () => {
  assert.equal(await asksOfStart(300), await asksOfStart(3))
})
