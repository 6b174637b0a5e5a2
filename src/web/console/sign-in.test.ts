/** A sign-in link that is used while all sessions of its account are ended, at every step of either; the rest over HTTP in test/. */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { Hono } from 'hono'
import { manualClock } from '../../../test/clock.ts'
import { openKeyring } from '../../accounts/keyring.ts'
import { endSessions } from '../../accounts/sign-out.ts'
import { systemRandom } from '../../lib/random.ts'
import { digestOf } from '../../lib/secret.ts'
import type { Tickets } from '../../storage/ports/sessions.ts'
import { openInMemory } from '../../storage/sqlite/in-memory.ts'
import { openReturnPath } from '../return-path.ts'
import { openSessions, type Web } from '../session.ts'
import { signInRoutes } from './sign-in.ts'

const clock = manualClock()
const site = { publicUrl: () => 'http://127.0.0.1', isSecure: false, leadsTo: [] }
const org = '5000883'
/** More than either makes. */
const callsMax = 3

/** Before the store's n-th call, something else happens. */
function interrupted(tickets: Tickets, n: number, act: () => Promise<unknown>): Tickets {
  let calls = 0
  const get = (port: Tickets, method: keyof Tickets) => {
    return async (...args: unknown[]) => {
      if (++calls === n) await act()
      return (port[method] as (...args: unknown[]) => unknown)(...args)
    }
  }
  return new Proxy(tickets, { get } as ProxyHandler<Tickets>)
}

/** A link, the way to use it, and whether that led to a session which is there at last. */
async function linkOn(kept: Tickets, seen = kept) {
  const app = new Hono<Web>()
  const { audit, vault } = openInMemory()
  const keyring = await openKeyring(vault, [{ id: 'k', secret: createSecretKey(Buffer.alloc(32)) }], systemRandom)
  const returnPath = openReturnPath({ keyring, site })
  const needs = { tickets: seen, clock, random: systemRandom, site, hasOauth: true, returnPath }
  signInRoutes(app, { ...needs, sessions: openSessions(needs), audit })
  const until = clock.now() + 600_000
  await kept.issue({ kind: 'link', id: digestOf('token'), org, who: 'operator', at: clock.now(), until })
  let cookie = ''
  return {
    async use() {
      const answer = await app.request('/console/sign-in/token', { method: 'POST' })
      cookie = answer.headers.get('set-cookie') ?? ''
    },
    async isIn() {
      const id = digestOf(/sid=([^;]+)/.exec(cookie)?.[1] ?? '')
      return (await kept.get({ kind: 'session', id }, clock.now())) !== undefined
    },
  }
}

test('a sign-in link leads to a session when nothing comes between', async () => {
  const link = await linkOn(openInMemory().tickets)
  await link.use()
  assert.equal(await link.isIn(), true)
})

for (let call = 1; call <= callsMax; call++) {
  test(`signing out everywhere before call ${call} of a sign-in link's use leaves no session`, async () => {
    const { tickets } = openInMemory()
    let isOut = false
    const signOut = async () => {
      await endSessions(tickets, org)
      isOut = true
    }
    const link = await linkOn(tickets, interrupted(tickets, call, signOut))
    await link.use()
    if (!isOut) await signOut()
    assert.equal(await link.isIn(), false)
  })

  test(`a sign-in link used before call ${call} of signing out everywhere leaves no session`, async () => {
    const { tickets } = openInMemory()
    const link = await linkOn(tickets)
    await endSessions(interrupted(tickets, call, link.use), org)
    assert.equal(await link.isIn(), false)
  })
}
