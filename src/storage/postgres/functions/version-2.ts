/**
 * What functions say otherwise than those of version 1, which replicas of that version still call: where ids are known no table
 * is read by its account (docs/decisions/0052), and a claim forgets no lane.
 */
import { byId, destinationsOf, inQueue } from './by-id.ts'
import { claim } from './claim.ts'
import { remove } from './remove.ts'
import { settle, settleAll } from './settle.ts'

/** A text, and the pieces of it that another stands in the place of, one after the other. */
export interface Edition {
  text: string
  edits: readonly (readonly [piece: string, inItsPlace: string])[]
}

const settle2: Edition = {
  text: settle,
  edits: [
    ['settle_1', 'settle_2'],
    ['remove_1', 'remove_2'],
    [
      `DELETE FROM queue q USING unnest(s_id, s_becomes) AS s (id, becomes) LEFT JOIN exceptions x
        ON x.id = s.id AND x.destination = of_destination AND x.state = 'waiting'
      WHERE s.becomes NOT IN ('same', 'waiting') AND q.org = of_org AND q.destination = of_destination AND q.lane IN (0, 1)
        AND q.place = coalesce(x.place, s.id) AND q.id = s.id RETURNING q.id`,
      `DELETE FROM queue WHERE ctid = ANY (ARRAY(
        SELECT q.ctid FROM unnest(s_id, s_becomes) AS s (id, becomes) ${inQueue('of_org', 'of_destination', 's.id')}
        WHERE s.becomes NOT IN ('same', 'waiting')
      )) RETURNING id`,
    ],
    ['JOIN exceptions x ON x.id = s.id AND', `JOIN ${byId('exceptions', 's.id')} x ON`],
    ['JOIN entries e ON e.id = s.id', `CROSS JOIN ${byId('entries', 's.id')} e`],
    ['JOIN entries e ON e.id = g.id', `CROSS JOIN ${byId('entries', 'g.id')} e`],
    // mutant: reads all events of an account to settle some
    ['WHERE e.id = s.id AND e.org = of_org', "WHERE e.id = ANY (s_id) AND e.id = s.id AND e.org || '' = of_org"],
    ['AND e.id = s.id AND e.history IS NULL', 'AND e.id = ANY (moved) AND e.id = s.id AND e.history IS NULL'],
    ['AND x.id = s.id AND x.destination', 'AND x.id = ANY (s_id) AND x.id = s.id AND x.destination'],
    ['FROM exceptions x WHERE x.id = e.id)', 'FROM exceptions x WHERE x.id = e.id OFFSET 0)'],
    [
      `FROM destinations d JOIN queue q ON q.org = d.org AND q.destination = d.number AND q.lane IN (0, 1) AND q.place = e.id
                    WHERE d.org = e.org)`,
      `FROM ${destinationsOf('e.org')} d ${inQueue('e.org', 'd.number', 'e.id')} OFFSET 0)`,
    ],
  ],
}

const settleAll2: Edition = {
  text: settleAll,
  edits: [
    ['settle_all_1', 'settle_all_2'],
    ['settle_1', 'settle_2'],
    [
      `PERFORM 1 FROM lanes n JOIN unnest(l_org, l_destination, l_lane) AS g (org, destination, lane) USING (org, destination, lane)
    ORDER BY n.org, n.destination, n.lane FOR UPDATE OF n;`,
      `PERFORM 1 FROM (
    SELECT * FROM unnest(l_org, l_destination, l_lane) AS g (org, destination, lane) ORDER BY org, destination, lane
  ) g CROSS JOIN LATERAL (
    SELECT 1 FROM lanes n WHERE n.org = g.org AND n.destination = g.destination AND n.lane = g.lane OFFSET 0 FOR UPDATE
  ) n;`,
    ],
  ],
}

const bodiesOf = 'ANY (ARRAY(SELECT id - id % 128 FROM unnest(gone) id))'

const remove2: Edition = {
  text: remove,
  edits: [
    ['remove_1', 'remove_2'],
    [
      `DELETE FROM queue q USING e, destinations d WHERE d.org = e.org AND q.org = e.org AND q.destination = d.number AND q.lane IN (0, 1)
      AND q.id = e.id AND q.place = coalesce(
        (SELECT place FROM exceptions y WHERE y.id = e.id AND y.destination = d.number AND y.state = 'waiting'), e.id)
    RETURNING q.id, q.destination`,
      `DELETE FROM queue WHERE ctid = ANY (ARRAY(
      SELECT q.ctid FROM e CROSS JOIN LATERAL ${destinationsOf('e.org')} d ${inQueue('e.org', 'd.number', 'e.id')}
    )) RETURNING id, destination`,
    ],
    ['WHERE a.id = n.attempt', 'WHERE a.id = ANY (ARRAY(SELECT attempt FROM attempted)) AND a.id = n.attempt'],
    [
      `DELETE FROM search_index s USING e WHERE s.id = e.id AND (
      s.org = '' AND s.kind = 'message' AND s.value = e.message_id OR s.org = e.org AND s.kind = 'type' AND s.value = e.type
      OR s.org = e.org AND s.kind = 'contact' AND s.value = e.contact
      OR s.org = e.org AND s.kind = 'conversation' AND s.value = e.conversation)`,
      `DELETE FROM search_index WHERE ctid = ANY (ARRAY(
      SELECT s.ctid FROM e CROSS JOIN LATERAL (
        VALUES ('', 'message', message_id), (org, 'type', type), (org, 'contact', contact), (org, 'conversation', conversation)
      ) k (org, kind, value) CROSS JOIN LATERAL (
        SELECT s.ctid FROM search_index s WHERE s.org = k.org AND s.kind = k.kind AND s.value = k.value AND s.id = e.id OFFSET 0
      ) s
    ))`,
    ],
    ['WHERE b.id = g.body', `WHERE b.id = ${bodiesOf} AND b.id = g.body`],
    ['WHERE id IN (SELECT id - id % 128 FROM unnest(gone) id)', `WHERE id = ${bodiesOf}`],
  ],
}

const claim2: Edition = {
  text: claim,
  edits: [
    ['claim_1', 'claim_2'],
    // A lane that it has given back, because it is not known to be empty, is due at once.
    // mutant: forgets a lane that a claim found empty while another replica adds to it
    ['l.lease_until = until AND', 'l.lease_until IS NOT DISTINCT FROM until AND'],
  ],
}

export const editions: readonly Edition[] = [remove2, settle2, settleAll2, claim2]

export const functions2 = editedText(editions)

export function editedText(of: readonly Edition[]): string {
  return of
    .map(({ text, edits }) =>
      edits.reduce((said, [piece, inItsPlace]) => said.replaceAll(piece, () => inItsPlace), text),
    )
    .join('\n')
}
