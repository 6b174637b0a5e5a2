import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { type DriftSim, startDrift } from './drift.ts'

const orgId = 5000883
const dayMs = 86_400_000
const start = 1_714_419_312_425
let drift: DriftSim
let token = ''
let nowMs = 0

interface Page {
  data: { id: number; updatedAt: number; eventId?: string }[]
  links?: { self: string; next?: string }
  pagination?: { more: boolean; next?: string }
  errors?: { type: string; param?: string }[]
  error?: string
  count?: number
}

beforeEach(async () => {
  nowMs = start
  drift = await startDrift({ clock: { ...systemClock, now: () => nowMs } })
  const conversations = Array.from({ length: 7 }, (_, n) => conversation(n + 1))
  drift.addOrg({ orgId, conversations, contacts: [{ id: 11, attributes: {} }] })
  token = drift.issueToken(orgId).accessToken
})
afterEach(() => drift.close())

function conversation(id: number, updatedAt = start + id) {
  return { id, contactId: 10 + id, status: id % 2 ? 'open' : 'closed', createdAt: start - dayMs * id, updatedAt }
}

async function ask(path: string, { bearer = token, body }: { bearer?: string; body?: object } = {}) {
  const url = path.startsWith('http') ? path : drift.url + path
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${bearer}` },
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
  })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Page }
}
const idsOf = ({ body }: { body: Page }) => body.data.map((one) => one?.id)

/** Follows the links, and does something after the first page. */
async function readAll(path: string, between: () => void = () => {}): Promise<number[][]> {
  const pages: number[][] = []
  for (let next: string | undefined = path; next && pages.length < 20; between()) {
    const page = await ask(next)
    pages.push(idsOf(page))
    const { links, pagination } = page.body
    next = links ? links.next : pagination?.more ? `/conversations/list?limit=3&next=${pagination.next}` : undefined
    if (pages.length > 1) between = () => {}
  }
  return pages
}

describe('the list of conversations', () => {
  test('goes from the last updated to the first, in pages that link to the next', async () => {
    assert.deepEqual(await readAll('/conversations/list?limit=3'), [[7, 6, 5], [4, 3, 2], [1]])
    assert.deepEqual(idsOf(await ask('/conversations/list?statusId=2&page_token=')), [6, 4, 2])
  })

  test('what is updated while one reads jumps to the front, and nothing else is passed over', async () => {
    const touch = () => void drift.addOrg({ orgId, conversations: [conversation(2, start + 100)] })
    assert.deepEqual(await readAll('/conversations/list?limit=3', touch), [
      [7, 6, 5],
      [4, 3, 1],
    ])
    assert.deepEqual(idsOf(await ask('/conversations/list?limit=3')), [2, 7, 6])
  })

  test('by position, as the older documentation has it, every record behind an update moves', async () => {
    drift.settings.lists.paging = 'pagination'
    const touch = () => void drift.addOrg({ orgId, conversations: [conversation(2, start + 100)] })
    assert.deepEqual(await readAll('/conversations/list?limit=3', touch), [[7, 6, 5], [5, 4, 3], [1]])
  })

  test('refuses a limit above the most, and a token that it did not give', async () => {
    const limit = await ask('/conversations/list?limit=101')
    assert.deepEqual([limit.status, limit.body.errors?.[0]?.param], [400, 'limit'])
    const unknown = await ask('/conversations/list?page_token=abc')
    assert.deepEqual([unknown.status, unknown.body.errors?.[0]?.type], [400, 'validation_error'])
  })

  test('each oddity can be switched on', async () => {
    const { odd } = drift.settings.lists
    const first = '/conversations/list?limit=3'
    const second = (await ask(first)).body.links?.next ?? ''
    odd.add('repeats')
    assert.deepEqual(idsOf(await ask(second)), [5, 4, 3, 2])
    odd.clear()
    odd.add('records')
    assert.deepEqual(idsOf(await ask(first)), [undefined, 7, 6, '5', undefined, undefined, undefined])
    odd.clear()
    odd.add('empty_pages')
    assert.deepEqual(await readAll(first), [[7, 6, 5], [4, 3, 2], [], [1]])
    odd.clear()
    odd.add('loop')
    assert.deepEqual((await readAll(first)).length, 20)
    odd.clear()
    odd.add('foreign_next')
    assert.match((await ask(first)).body.links?.next ?? '', /^https:\/\/drift\.example\//)
    odd.clear()
    odd.add('no_times').add('no_contact')
    const { data } = (await ask('/conversations/list?limit=7')).body
    assert.deepEqual([data[4]?.updatedAt, Object.keys(data[6]!).includes('contactId')], [undefined, false])
  })
})

describe('meetings', () => {
  const meeting = (n: number) => ({
    eventId: `m-${n}`,
    slotStart: start - n * dayMs,
    scheduledAt: start - n * dayMs - 1,
  })
  const window = () => `/users/meetings/org?min_start_time=${start - 60 * dayMs}&max_start_time=${start}`

  test('are those of the last 30 days, at most so many, where the grant has the scope', async () => {
    drift.addOrg({ orgId, meetings: [1, 29, 31].map(meeting) })
    assert.equal((await ask(window())).body.error, 'insufficient_scope')
    const { accessToken } = drift.issueToken(orgId, { scopes: ['user_read'] })
    const listed = async () => (await ask(window(), { bearer: accessToken })).body.data.map(({ eventId }) => eventId)
    assert.deepEqual(await listed(), ['m-29', 'm-1'])
    drift.settings.lists.meetingsMax = 1
    assert.deepEqual(await listed(), ['m-29'])
    assert.equal((await ask('/users/meetings/org', { bearer: accessToken })).status, 400)
  })
})

describe('the reports', () => {
  const days = (from: number, to: number) => ({
    filters: [{ property: 'createdAt', operation: 'BETWEEN', values: [day(from), day(to)] }],
    metrics: ['endUserId', 'lastAgentId'],
  })
  const day = (n: number) => new Date(start - n * dayMs).toISOString().slice(0, 10)

  test('count the conversations of some days, and say whose each is', async () => {
    const { body } = await ask('/reports/conversations', { body: days(3, 2) })
    const data = [
      { conversationId: 2, metrics: [12, 'NaN'] },
      { conversationId: 3, metrics: [13, 'NaN'] },
    ]
    assert.deepEqual(body, { count: 2, data })
  })

  test('are asked at most 60 times a minute, and the rest as often as the settings say', async () => {
    const answers = await Promise.all(Array.from({ length: 61 }, () => ask('/reports/conversations', { body: {} })))
    const refused = answers.filter(({ status }) => status === 429)
    assert.deepEqual([refused.length, refused[0]?.headers.get('retry-after')], [1, '60'])
    assert.equal((await ask('/contacts/11')).status, 200)
    nowMs += 60_000
    assert.equal((await ask('/reports/conversations', { body: {} })).status, 200)
    drift.settings.lists.requestsASecond = 2
    const statuses = [await ask('/contacts/11'), await ask('/conversations/list'), await ask('/contacts/11')]
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [200, 200, 429],
    )
  })
})
