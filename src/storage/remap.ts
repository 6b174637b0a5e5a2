/** Giving other mappings to what waits, for both engines. */
import type { LaneKey } from './ports/entry.ts'
import type { Remapped, Remapping } from './ports/inbox.ts'
import { remapped } from './resent.ts'
import { all, get, run, type Statements, together } from './statements.ts'

/** Entries of one call: a few milliseconds, in which webhooks wait for their answer. */
const stepMax = 500

const waiting = {
  send: 'SELECT place AS at, id FROM queue WHERE org = $1 AND destination = $2 AND lane = 0 AND place > $3 ORDER BY place LIMIT $4',
  ask: `SELECT id AS at, id FROM exceptions
    WHERE org = $1 AND state = 'asking' AND destination IN (0, $2) AND id > $3 ORDER BY id LIMIT $4`,
}

/** The lane's row is locked meanwhile: a claim passes over it. */
export const remap = together(function* (
  { org, lane }: LaneKey,
  { moves, after, destination }: Remapping,
): Statements<Remapped> {
  if (lane === 'send') {
    const sql = `SELECT lease_until FROM lanes WHERE org = $1 AND destination = $2 AND lane = 'send' FOR UPDATE`
    const row = yield* get(sql, org, destination)
    // mutant: changes what a sender has in hand
    if ((row?.lease_until ?? null) !== null) return { is: 'leased' }
  }
  const rows = yield* all(
    `SELECT w.at, e.id, e.mapping, e.history, e.resent,
       (SELECT count(*) FROM learnt k WHERE k.id = e.id AND k.destination = $2) AS noted
     FROM (${waiting[lane]}) w JOIN entries e ON e.id = w.id ORDER BY w.at FOR UPDATE OF e`,
    org,
    destination,
    after,
    stepMax,
  )
  const become = rows.map((row) => ({
    id: row.id as number,
    becomes: remapped({ ...row, isNoted: Number(row.noted) > 0 } as Parameters<typeof remapped>[0], {
      destination,
      moves,
    }),
  }))
  let changed = 0
  for (const [sql, some] of Map.groupBy(become, ({ becomes }) => JSON.stringify(becomes))) {
    const { becomes } = some[0]!
    if (sql === undefined || becomes === undefined || becomes === 'given') continue
    const [column, value] =
      'mapping' in becomes ? (['mapping', becomes.mapping] as const) : (['resent', becomes.resent] as const)
    changed += yield* run(
      `UPDATE entries SET ${column} = $1 WHERE id = ANY ($2)`,
      value,
      some.map(({ id }) => id),
    )
  }
  const given = become.filter(({ becomes }) => becomes === 'given').length
  const last = rows.length === stepMax ? { after: Number(rows.at(-1)!.at) } : {}
  return { is: 'done', changed, given, ...last }
})
