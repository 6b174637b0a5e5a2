import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type Databases, usePostgres, withoutPostgres } from '../../../test/postgres.ts'
import { type Database, openDatabase, type Session } from './database.ts'

describe('a transaction whose commit goes out with its last statements', { skip: withoutPostgres }, () => {
  let server: Databases
  let db: Database
  before(async () => {
    server = await usePostgres()
  })
  beforeEach(async () => {
    db = openDatabase(await server.fresh(), 2, () => {})
    await db.script('CREATE TABLE public.kept (n integer PRIMARY KEY)')
  })
  afterEach(() => db.close())
  after(() => server.close())

  const insert = (session: Session, n: number) => session.run('INSERT INTO public.kept VALUES ($1)', n)
  const kept = async () => (await db.all('SELECT n FROM public.kept ORDER BY n')).map(({ n }) => n)

  test('keeps all of it, and gives what its last statements give', async () => {
    const result = await db.transaction(
      (session) => insert(session, 1),
      async (session, done) => done + (await insert(session, 2)),
    )
    assert.equal(result, 2)
    assert.deepEqual(await kept(), [1, 2])
  })

  test('keeps nothing when its last statement fails, and says why', async () => {
    const failing = db.transaction(
      (session) => insert(session, 1),
      (session) => insert(session, 1),
    )
    await assert.rejects(failing, { code: 'store_statement_failed', message: /23505/ })
    assert.deepEqual(await kept(), [])
  })

  test('makes no statement behind its commit', async () => {
    const late = db.transaction(
      (session) => insert(session, 1),
      async (session) => {
        await insert(session, 2)
        await insert(session, 3)
      },
    )
    await assert.rejects(late)
    assert.deepEqual((await kept()).includes(3), false)
  })
})
