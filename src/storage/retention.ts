/**
 * Taking away, for both engines: what has outlived its time, and what a disconnected account leaves. In steps that keep a
 * commit short. Many replicas may do so at once: one of them does it, the others find it done.
 */
import { destinationsOf } from './destinations.ts'
import { stepKeys, type Walk } from './forgetting.ts'
import type { Destination, Org } from './ports/entry.ts'
import type { Expired, Limits, Marked } from './ports/inbox.ts'
import { all, get, own, type Row, run, type Statements, together } from './statements.ts'
import { collected } from './tally.ts'

/** Entries taken away in one transaction: about 50 ms, in which webhooks wait for their answer. */
const stepMax = 2_000
/** Entries looked at in one step, of which most may not be final. */
const looksMax = 10_000

/** `walk`: of the store, from call to call. */
export const expire = together(function* (limits: Limits, walk: Walk): Statements<Expired> {
  if (!(yield* own('tryLock', 'maintenance'))) return { removed: 0, goesOn: false }
  yield* forget(walk, limits)
  const notInstalled = yield* notInstalledIn(limits)
  const finished = yield* finishedIn(walk, limits)
  // Nothing is added to these entries, and what a person sends again meanwhile is not final any more.
  const gone = yield* remove([...notInstalled, ...finished.ids])
  const removed = gone + (yield* failed(limits))
  yield* own('ageTimeBuckets', limits)
  return { removed, goesOn: removed > 0 || !finished.isThrough }
})

function* remove(ids: readonly number[]): Statements<number> {
  const final = ids.length > 0 ? yield* own('stillFinal', ids) : []
  return final.length > 0 ? yield* own('remove', final) : 0
}

function* notInstalledIn({ notInstalledBefore, notInstalledBytesMax }: Limits): Statements<number[]> {
  const these = `FROM exceptions x JOIN entries e ON e.id = x.id WHERE x.state = 'unclaimed'`
  const outlived = yield* all(
    `SELECT x.id ${these} AND x.received_at < $1 ORDER BY x.id LIMIT ${stepMax}`,
    notInstalledBefore,
  )
  let excess = Number((yield* get(`SELECT sum(e.bytes) AS bytes ${these}`))!.bytes) - notInstalledBytesMax
  const oldest = excess > 0 ? yield* all(`SELECT x.id, e.bytes ${these} ORDER BY x.id LIMIT ${stepMax}`) : []
  const beyond = oldest.filter(({ bytes }) => {
    const isBeyond = excess > 0
    excess -= Number(bytes)
    return isBeyond
  })
  return [...new Set([...outlived, ...beyond].map(({ id }) => id as number))]
}

/**
 * Settled long enough ago: a step of a walk over the entries in the order of their ids, which ends where they are too young and
 * then begins again.
 */
function* finishedIn(walk: Walk, { deliveredBefore }: Limits): Statements<{ ids: number[]; isThrough: boolean }> {
  const sql = 'SELECT id, received_at, settled_at FROM entries WHERE id > $1 ORDER BY id LIMIT $2'
  const rows = (yield* all(sql, walk.entry, looksMax)) as {
    id: number
    received_at: number
    settled_at: number | null
  }[]
  const young = rows.findIndex(({ received_at }) => received_at >= deliveredBefore)
  const old = young < 0 ? rows : rows.slice(0, young)
  const found = old.filter(({ settled_at }) => settled_at !== null && settled_at < deliveredBefore)
  const step = found.slice(0, stepMax)
  const isThrough = found.length <= stepMax && (young >= 0 || rows.length < looksMax)
  walk.entry = isThrough ? 0 : (found.length > stepMax ? step : old).at(-1)!.id
  return { ids: step.map(({ id }) => id), isThrough }
}

/** What has been dead or quarantined at a destination for long is deleted there; the entry goes when that was all of it. */
function* failed({ failedBefore, kept }: Limits): Statements<number> {
  const rows = yield* all(
    `SELECT x.id, x.destination, x.state, e.org, e.type FROM exceptions x JOIN entries e ON e.id = x.id
     WHERE x.state IN ('dead', 'quarantined') AND x.received_at < $1 AND coalesce(x.reason, '') <> ALL ($2)
     LIMIT ${stepMax} FOR UPDATE OF x SKIP LOCKED`,
    failedBefore,
    kept,
  )
  const counts = collected()
  for (const [destination, some] of Map.groupBy(rows, (row) => row.destination as Destination)) {
    yield* run('DELETE FROM exceptions WHERE destination = $1 AND id = ANY ($2)', destination, idsOf(some))
    for (const { org, type, state } of some as Record<string, string>[])
      counts.add({ org: org!, destination, type: type!, outcome: state === 'dead' ? 'dead' : 'expired' })
  }
  yield* remove([...new Set(idsOf(rows))])
  yield* own('keepCounts', counts)
  return rows.length
}

function idsOf(rows: readonly Row[]): number[] {
  return rows.map(({ id }) => id as number)
}

/** One step of the walk over the identities; one that a webhook has in hand stays until the next time. */
function* forget(walk: Walk, limits: Limits): Statements<void> {
  const from = walk.from(limits)
  const beyond = 'SELECT identity FROM identities WHERE identity > $1 ORDER BY identity LIMIT 1 OFFSET $2'
  const last = (yield* get(beyond, from, stepKeys - 1))?.identity as Uint8Array | undefined
  yield* run(
    `DELETE FROM identities WHERE identity IN (
       SELECT identity FROM identities
       WHERE identity > $1 AND ($2::bytea IS NULL OR identity <= $2) AND until <= $3 FOR UPDATE SKIP LOCKED
     )`,
    from,
    last ?? null,
    limits.now,
  )
  walk.reached(last)
}

/** Every lease of an account ends, and none is counted as a crash. */
function endLeases(org: Org): Statements<number> {
  return run('UPDATE lanes SET token = token + 1, lease_until = NULL WHERE org = $1', org)
}

/** Of the texts that a body has, those whose entries are there. */
const textsOf = 'SELECT id FROM entries WHERE id >= $1 AND id < $1 + 128 ORDER BY id'

export const retention = {
  /** One step; 0 when nothing of the account is left, or it is connected. */
  erase: together(function* (org: Org): Statements<number> {
    const install = yield* get('SELECT state FROM installs WHERE org = $1 FOR UPDATE', org)
    // mutant: erases what has come since the account was connected again
    if (install && install.state !== 'disconnected') return 0
    yield* own('lock', [org])
    yield* endLeases(org)
    yield* run('UPDATE lanes SET ready_at = NULL WHERE org = $1', org)
    let gone = yield* run('DELETE FROM conversations WHERE org = $1', org)
    const ids = idsOf(yield* all(`SELECT id FROM entries WHERE org = $1 LIMIT ${stepMax}`, org))
    if (ids.length > 0) yield* own('remove', ids)
    else
      for (const table of ['attempts', 'bodies', 'occurrences'])
        gone += yield* run(`DELETE FROM ${table} WHERE org = $1`, org)
    if (gone + ids.length > 0) yield* own('noteErasure')
    return ids.length
  }),

  take: together(function* (org: Org, ids: readonly number[]): Statements<number> {
    yield* own('lock', [org])
    // mutant: takes events away without ending their leases
    yield* endLeases(org)
    yield* own('noteErasure')
    const its = idsOf(yield* all('SELECT id FROM entries WHERE org = $1 AND id = ANY ($2)', org, ids))
    return its.length > 0 ? yield* own('remove', its) : 0
  }),

  *marked(limit: number, org?: Org): Statements<Marked[]> {
    const of = org === undefined ? [] : [org]
    const sql = `SELECT id, org, version, sealed FROM bodies WHERE trim > 0 ${of.map(() => 'AND org = $2')} LIMIT $1`
    const found: Marked[] = []
    for (const body of (yield* all(sql, limit, ...of)) as unknown as Omit<Marked, 'positions'>[])
      found.push({ ...body, positions: idsOf(yield* all(textsOf, body.id)).map((id) => id - body.id) })
    return found
  },

  /** The body's row is locked first, as by what takes one of its entries away: that has marked it, or comes after this. */
  rewrite: together(function* (
    { id, version, positions }: Pick<Marked, 'id' | 'version' | 'positions'>,
    sealed: Uint8Array,
  ): Statements<boolean> {
    const body = yield* get('SELECT version FROM bodies WHERE id = $1 FOR UPDATE', id)
    if (body?.version !== version) return false
    const there = idsOf(yield* all(textsOf, id)).map((one) => one - id)
    // mutant: clears the mark of a body without looking whether one more event was taken
    const sameTexts = there.join() === positions.join()
    const sql = 'UPDATE bodies SET sealed = $2, version = version + 1, trim = $3 WHERE id = $1'
    yield* run(sql, id, sealed, sameTexts ? 0 : 1)
    yield* own('noteErasure')
    return sameTexts
  }),

  /** What is left in it are entries without a text: they are quarantined wherever they are not final. */
  drop: together(function* (
    { id: body, version }: Pick<Marked, 'id' | 'version'>,
    { reason, now }: { reason: string; now: number },
  ): Statements<boolean> {
    const owner = yield* get('SELECT org FROM bodies WHERE id = $1 AND version = $2', body, version)
    if (!owner) return false
    const org = owner.org as Org
    yield* own('lock', [org])
    const sql = 'UPDATE bodies SET sealed = $3, version = version + 1, trim = 0 WHERE id = $1 AND version = $2'
    if ((yield* run(sql, body, version, new Uint8Array())) === 0) return false
    const ids = idsOf(yield* all(textsOf, body))
    const counts = collected()
    for (const destination of [0, ...(yield* destinationsOf(org))])
      for (const type of yield* quarantined(ids, { org, destination, reason }))
        counts.note({ org, destination, type, outcome: 'failed' }, now)
    yield* own('keepCounts', counts)
    return true
  }),
}

/** Of these entries, what waits at a destination, or asks there; gives the type of each. */
function* quarantined(
  ids: readonly number[],
  { org, destination, reason }: { org: Org; destination: Destination; reason: string },
): Statements<string[]> {
  const excepted = yield* all(
    `SELECT id, place FROM exceptions WHERE id = ANY ($1) AND destination = $2 AND state IN ('asking', 'waiting')`,
    ids,
    destination,
  )
  const places = [...ids, ...excepted.flatMap(({ place }) => (place === null ? [] : [place as number]))]
  const queued = yield* all(
    `DELETE FROM queue WHERE org = $1 AND destination = $2 AND lane IN (0, 1) AND place = ANY ($3) RETURNING id`,
    org,
    destination,
    places,
  )
  const its = [...new Set([...idsOf(excepted), ...idsOf(queued)])]
  yield* run('DELETE FROM exceptions WHERE id = ANY ($1) AND destination = $2', its, destination)
  const sql = `INSERT INTO exceptions (id, destination, org, state, reason, received_at)
    SELECT id, $2::integer, org, 'quarantined', $3, received_at FROM entries WHERE id = ANY ($1)`
  yield* run(sql, its, destination, reason)
  return (yield* all('SELECT type FROM entries WHERE id = ANY ($1)', its)).map(({ type }) => type as string)
}
