/** What became of the entries of leases: settle_1 for one lease, and settle_all_1 for several. */
import { crashesBeforeAlone } from '../../ports/inbox.ts'
import { advisoryKey } from '../locks.ts'
import { firstDue } from './lanes.ts'

/** The numbers of history.ts, in its order. */
const note = (destination: string, outcome: string, attempt: string) =>
  `(int2send((${destination})::int2) || substring(int2send((${outcome})::int2) FROM 2) || substring(int8send(coalesce(${attempt}, 0)) FROM 3))`

/** Kept, an ignored entry has its reason in its history. */
const ignoredAs = `(CASE s.reason WHEN 'filtered' THEN 6 WHEN 'no_consent' THEN 7 ELSE 1 END)`

const isKept = (s: string) => `coalesce(${s}.reason, '') IN ('filtered', 'no_consent')`

const outcomes = `CASE WHEN of_lane = 'ask' AND s.becomes = 'waiting' THEN 8 ELSE CASE s.becomes
  WHEN 'delivered' THEN 0 WHEN 'ignored' THEN ${ignoredAs} WHEN 'dead' THEN 2 WHEN 'quarantined' THEN 3 ELSE 4 END END`

/** Of a settlement: requests before its last one. */
const earlierNotes = `CASE WHEN s.earlier IS NULL THEN ''::bytea ELSE (
  SELECT string_agg(${note('of_destination', '4', 'a_id[n.nth::integer]')}, ''::bytea ORDER BY n.at)
  FROM unnest(string_to_array(s.earlier, ',')) WITH ORDINALITY AS n (nth, at)) END`

/**
 * What became of a lease's entries, if it is still its holder's. A lane that sends lets them out of its queue; one that asks
 * gives them over, or quarantines them. Gives when the lane is ready again after its end (null: nothing is in it), the lanes
 * that have woken, and entries whose history has grown long.
 */
export const settle = `
CREATE FUNCTION settle_1(
  of_org text, of_destination integer, of_lane text, of_token bigint, who text,
  s_id bigint[], s_becomes text[], s_at bigint[], s_reason text[], s_due bigint[], s_contact text[], s_conversation text[],
  s_known bytea[], s_attempt integer[], s_earlier text[],
  a_at bigint[], a_ms bigint[], a_status integer[], a_many integer[], a_tries integer[],
  a_reason text[], a_next bigint[], a_excerpt bytea[],
  ends boolean, end_at bigint, end_failures integer, end_blocked text, tried_at bigint, tried_error text,
  end_retry_after bigint, end_crashed boolean
) RETURNS TABLE (held boolean, ready bigint, woke_org text, woke_destination integer, woke_lane text, long bigint[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  l record;
  moved bigint[];
  a_id bigint[];
  c record;
  m record;
  w record;
  r record;
  too_long bigint[];
  lonely bigint[];
  is_ready_at bigint;
BEGIN
  IF of_lane = 'ask' OR 'asking' = ANY (s_becomes) THEN PERFORM pg_advisory_xact_lock_shared(${advisoryKey('of_org')}); END IF;
  SELECT l.crashes, l.isolating INTO l FROM lanes l
  WHERE l.org = of_org AND l.destination = of_destination AND l.lane = of_lane AND l.token = of_token
    AND l.holder IS NOT DISTINCT FROM who AND l.lease_until IS NOT NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN QUERY SELECT false, NULL::bigint, NULL::text, NULL::integer, NULL::text, NULL::bigint[]; RETURN; END IF;
  a_id := ARRAY(SELECT nextval('places') FROM generate_subscripts(a_at, 1));
  IF of_lane = 'send' THEN
    WITH gone AS (
      DELETE FROM queue q USING unnest(s_id, s_becomes) AS s (id, becomes) LEFT JOIN exceptions x
        ON x.id = s.id AND x.destination = of_destination AND x.state = 'waiting'
      WHERE s.becomes NOT IN ('same', 'waiting') AND q.org = of_org AND q.destination = of_destination AND q.lane IN (0, 1)
        AND q.place = coalesce(x.place, s.id) AND q.id = s.id RETURNING q.id
    ) SELECT array_agg(id) INTO moved FROM gone;
    moved := coalesce(moved, '{}');
    DELETE FROM exceptions x WHERE x.id = ANY (moved) AND x.destination = of_destination AND x.state = 'waiting';
  ELSE
    SELECT array_agg(DISTINCT x.id) INTO moved FROM unnest(s_id, s_becomes) AS s (id, becomes)
    JOIN exceptions x ON x.id = s.id AND x.org = of_org AND x.state = 'asking' WHERE s.becomes NOT IN ('same', 'delivered');
    moved := coalesce(moved, '{}');
  END IF;
  IF cardinality(s_id) > 0 THEN
    WITH s AS MATERIALIZED (
      SELECT s.* FROM unnest(s_id, s_becomes, s_at, s_reason, s_contact, s_conversation, s_attempt, s_earlier)
        AS s (id, becomes, at, reason, contact, conversation, attempt, earlier)
      WHERE s.id = ANY (moved) OR s.attempt IS NOT NULL AND (s.becomes = 'same' OR of_lane = 'send' AND s.becomes = 'waiting')
    ), changed AS (
      UPDATE entries e SET settled_at = CASE WHEN s.becomes IN ('asking', 'same', 'waiting') THEN e.settled_at ELSE s.at END,
        contact = coalesce(s.contact, e.contact), conversation = coalesce(s.conversation, e.conversation),
        history = CASE WHEN of_lane = 'ask' AND s.attempt IS NULL OR of_lane = 'send' AND s.becomes = 'asking'
            OR s.becomes = 'ignored' AND NOT ${isKept('s')} AND e.history IS NULL THEN e.history
          ELSE coalesce(e.history, '') || ${earlierNotes} || ${note('of_destination', outcomes, 'a_id[s.attempt]')} END
      FROM s WHERE e.id = s.id AND e.org = of_org
      RETURNING e.id, s.attempt, s.earlier, s.contact, s.conversation, length(e.history) AS length
    ), searched AS (
      INSERT INTO search_index (org, kind, value, id)
      SELECT of_org, 'contact', contact, id FROM changed WHERE contact IS NOT NULL
      UNION ALL SELECT of_org, 'conversation', conversation, id FROM changed WHERE conversation IS NOT NULL
      ON CONFLICT DO NOTHING
    ), remaining AS (
      INSERT INTO attempts (id, org, destination, at, ms, status, many, tries, remain, reason, next_at, excerpt)
      SELECT a_id[attempt], of_org, of_destination, a_at[attempt], a_ms[attempt], a_status[attempt], a_many[attempt],
        a_tries[attempt], count(*), a_reason[attempt], a_next[attempt], a_excerpt[attempt] FROM (
          SELECT attempt FROM changed WHERE attempt IS NOT NULL
          UNION ALL SELECT nth::integer FROM changed, unnest(string_to_array(earlier, ',')) nth
        ) had GROUP BY attempt
    ) SELECT array_agg(id) FILTER (WHERE length > 360) INTO too_long FROM changed;
    INSERT INTO learnt (id, destination, sealed) SELECT s.id, of_destination, s.known FROM unnest(s_id, s_becomes, s_known) AS s (id, becomes, known)
    WHERE s.known IS NOT NULL AND (s.id = ANY (moved) OR of_lane = 'send' AND s.becomes = 'same'
      AND EXISTS (SELECT 1 FROM entries e WHERE e.id = s.id)) ON CONFLICT (id, destination) DO UPDATE SET sealed = excluded.sealed;
  END IF;
  IF of_lane = 'send' THEN
    INSERT INTO exceptions (id, destination, org, state, reason, received_at, due_at)
    SELECT e.id, of_destination, of_org, s.becomes, s.reason, e.received_at,
      CASE s.becomes WHEN 'asking' THEN coalesce(s.due, s.at) END
    FROM unnest(s_id, s_becomes, s_at, s_reason, s_due) AS s (id, becomes, at, reason, due) JOIN entries e ON e.id = s.id
    WHERE s.id = ANY (moved) AND s.becomes IN ('asking', 'dead', 'quarantined') ORDER BY e.id;
    SELECT array_agg(of_org) AS org, array_agg(0) AS destination, array_agg('ask'::text) AS lane,
      array_agg(coalesce(s.due, s.at)) AS at INTO w
    FROM unnest(s_id, s_becomes, s_at, s_due) AS s (id, becomes, at, due) WHERE s.id = ANY (moved) AND s.becomes = 'asking';
    SELECT array_agg(of_org) AS org, array_agg(of_destination) AS destination, array_agg(e.type) AS type,
      array_agg(s.becomes) AS outcome, array_agg(CASE s.becomes WHEN 'ignored' THEN s.reason ELSE '' END) AS reason,
      array_agg(1::bigint) AS many INTO c
    FROM unnest(s_id, s_becomes, s_reason) AS s (id, becomes, reason) JOIN entries e ON e.id = s.id
    WHERE s.id = ANY (moved) AND s.becomes IN ('delivered', 'ignored');
    SELECT array_agg(of_org) AS org, array_agg(s.at) AS at, array_agg(of_destination) AS destination, array_agg(e.type) AS type,
      array_agg(CASE WHEN s.becomes IN ('dead', 'quarantined') THEN 'failed' ELSE s.becomes END) AS outcome,
      array_agg(CASE s.becomes WHEN 'ignored' THEN s.reason ELSE '' END) AS reason, array_agg(1::bigint) AS many INTO m
    FROM unnest(s_id, s_becomes, s_at, s_reason) AS s (id, becomes, at, reason) JOIN entries e ON e.id = s.id
    WHERE s.id = ANY (moved) AND s.becomes <> 'asking';
  ELSE
    SELECT array_agg(x.id ORDER BY s.nth) AS id, array_agg(x.destination ORDER BY s.nth) AS destination,
      array_agg(x.received_at ORDER BY s.nth) AS received_at, array_agg(s.becomes ORDER BY s.nth) AS becomes,
      array_agg(s.at ORDER BY s.nth) AS at, array_agg(s.reason ORDER BY s.nth) AS reason, array_agg(s.due ORDER BY s.nth) AS due
    INTO r FROM unnest(s_id, s_becomes, s_at, s_reason, s_due) WITH ORDINALITY AS s (id, becomes, at, reason, due, nth)
    JOIN exceptions x ON x.id = s.id AND x.org = of_org AND x.state = 'asking' WHERE s.becomes NOT IN ('same', 'delivered');
    UPDATE exceptions x SET due_at = coalesce(s.due, s.at), failures = x.failures + 1, reason = s.reason
    FROM unnest(r.id, r.destination, r.becomes, r.at, r.due, r.reason) AS s (id, destination, becomes, at, due, reason)
    WHERE s.becomes = 'asking' AND x.id = s.id AND x.destination = s.destination;
    UPDATE exceptions x SET state = s.becomes, reason = s.reason, due_at = NULL, failures = 0
    FROM unnest(r.id, r.destination, r.becomes, r.reason) AS s (id, destination, becomes, reason)
    WHERE s.becomes IN ('dead', 'quarantined') AND x.id = s.id AND x.destination = s.destination;
    DELETE FROM exceptions x USING unnest(r.id, r.destination, r.becomes) AS s (id, destination, becomes)
    WHERE s.becomes IN ('waiting', 'ignored') AND x.id = s.id AND x.destination = s.destination;
    SELECT array_agg(g.id) AS id, array_agg(g.number) AS number, array_agg(g.place) AS place,
      array_agg(g.received_at) AS received_at, array_agg(g.at) AS at, array_agg(g.destination) AS destination INTO w FROM (
      SELECT s.*, nextval('places') * 128 AS place FROM (
        SELECT s.*, d.number FROM unnest(r.id, r.destination, r.becomes, r.received_at, r.at) WITH ORDINALITY
          AS s (id, destination, becomes, received_at, at, nth)
        JOIN destinations d ON d.org = of_org AND d.removed_at IS NULL
        WHERE s.becomes = 'waiting' AND (s.destination = d.number OR s.destination = 0 AND d.since < s.id)
        ORDER BY s.nth, d.number
      ) s
    ) g;
    INSERT INTO queue (org, destination, lane, place, id)
    SELECT of_org, g.number, 0, g.place, g.id FROM unnest(w.number, w.place, w.id) AS g (number, place, id);
    INSERT INTO exceptions (id, destination, org, state, received_at, place)
    SELECT g.id, g.number, of_org, 'waiting', g.received_at, g.place
    FROM unnest(w.id, w.number, w.received_at, w.place) AS g (id, number, received_at, place);
    SELECT array_agg(of_org) AS org, array_agg(g.destination) AS destination, array_agg(e.type) AS type,
      array_agg(g.outcome) AS outcome, array_agg(g.reason) AS reason, array_agg(1::bigint) AS many INTO c
    FROM (
      SELECT g.id, g.number AS destination, 'taken' AS outcome, '' AS reason
      FROM unnest(w.id, w.number, w.destination) AS g (id, number, destination) WHERE g.destination = 0
      UNION ALL
      SELECT DISTINCT g.id, 0, 'taken', '' FROM unnest(w.id, w.destination) AS g (id, destination) WHERE g.destination = 0
      UNION ALL
      SELECT g.id, g.destination, 'ignored', g.reason
      FROM unnest(r.id, r.destination, r.becomes, r.reason) AS g (id, destination, becomes, reason) WHERE g.becomes = 'ignored'
      UNION ALL
      -- Every destination that it was meant for has been removed.
      SELECT g.id, 0, 'expired', '' FROM unnest(r.id, r.destination, r.becomes) AS g (id, destination, becomes)
      WHERE g.becomes = 'waiting' AND g.destination = 0 AND NOT g.id = ANY (coalesce(w.id, '{}'))
    ) g JOIN entries e ON e.id = g.id;
    SELECT array_agg(of_org) AS org, array_agg(g.at) AS at, array_agg(g.destination) AS destination, array_agg(e.type) AS type,
      array_agg(CASE g.becomes WHEN 'ignored' THEN 'ignored' ELSE 'failed' END) AS outcome,
      array_agg(CASE g.becomes WHEN 'ignored' THEN g.reason ELSE '' END) AS reason, array_agg(1::bigint) AS many INTO m
    FROM unnest(r.id, r.destination, r.becomes, r.at, r.reason) AS g (id, destination, becomes, at, reason)
    JOIN entries e ON e.id = g.id WHERE g.becomes IN ('dead', 'quarantined', 'ignored');
    SELECT array_agg(of_org) AS org, array_agg(g.number) AS destination, array_agg('send'::text) AS lane, array_agg(g.at) AS at
    INTO w FROM unnest(w.number, w.at) AS g (number, at);
  END IF;
  -- What no destination has anything to do with any more, nor ever had delivered, goes at once.
  SELECT array_agg(e.id) INTO lonely FROM unnest(s_id, s_becomes, s_reason) AS s (id, becomes, reason) JOIN entries e ON e.id = s.id
  WHERE (s.becomes = 'ignored' AND NOT ${isKept('s')} OR of_lane = 'ask' AND s.becomes = 'waiting') AND s.id = ANY (moved)
    AND NOT EXISTS (SELECT 1 FROM generate_series(0, length(e.history) / 9 - 1) n WHERE get_byte(e.history, 9 * n + 2) IN (0, 6, 7))
    AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.id = e.id)
    AND NOT EXISTS (SELECT 1 FROM destinations d JOIN queue q ON q.org = d.org AND q.destination = d.number AND q.lane IN (0, 1) AND q.place = e.id
                    WHERE d.org = e.org);
  IF lonely IS NOT NULL THEN PERFORM remove_1(lonely); END IF;
  UPDATE entries e SET history = ${note('of_destination', '1', 'NULL::bigint')}
  FROM unnest(s_id, s_becomes) AS s (id, becomes)
  WHERE of_lane = 'send' AND s.becomes = 'ignored' AND s.id = ANY (moved) AND e.id = s.id AND e.history IS NULL;
  IF ends THEN
    UPDATE lanes u SET lease_until = NULL,
      -- As isolating.ts has it.
      crashes = CASE WHEN end_crashed THEN u.crashes + 1 ELSE 0 END,
      isolating = CASE WHEN end_crashed OR end_failures > 0 THEN u.isolating WHEN u.crashes > ${crashesBeforeAlone} THEN 0 ELSE greatest(u.isolating - 1, 0) END,
      failures = end_failures,
      blocked = end_blocked, retry_after_at = end_retry_after,
      asked = CASE WHEN settle_1.tried_at IS NULL THEN u.asked ELSE 0 END, tried_at = coalesce(settle_1.tried_at, u.tried_at),
      last_error = CASE WHEN settle_1.tried_at IS NULL THEN u.last_error ELSE tried_error END,
      ready_at = coalesce(${firstDue('u', 'end_at')}, end_at)
    WHERE u.org = of_org AND u.destination = of_destination AND u.lane = of_lane RETURNING u.ready_at INTO is_ready_at;
    -- That nothing is there is only said with the account's lock alone: else the next claim finds out.
    IF NOT EXISTS (SELECT 1 FROM lanes u WHERE u.org = of_org AND u.destination = of_destination AND u.lane = of_lane
                   AND ${firstDue('u', 'end_at')} IS NOT NULL)
      AND pg_try_advisory_xact_lock(${advisoryKey('of_org')}) THEN
      UPDATE lanes u SET ready_at = ${firstDue('u', 'end_at')}
      WHERE u.org = of_org AND u.destination = of_destination AND u.lane = of_lane RETURNING u.ready_at INTO is_ready_at;
    END IF;
  END IF;
  RETURN QUERY SELECT true, is_ready_at, g.org, g.destination, g.lane, too_long
  FROM (SELECT 1) one LEFT JOIN wake_1(coalesce(w.org, '{}'), coalesce(w.destination, '{}'), coalesce(w.lane, '{}'), coalesce(w.at, '{}')) g ON true;
  PERFORM count_1(
    coalesce(c.org, '{}'), coalesce(c.destination, '{}'), coalesce(c.type, '{}'), coalesce(c.outcome, '{}'), coalesce(c.reason, '{}'), coalesce(c.many, '{}'),
    coalesce(m.org, '{}'), coalesce(m.at, '{}'), coalesce(m.destination, '{}'), coalesce(m.type, '{}'), coalesce(m.outcome, '{}'), coalesce(m.reason, '{}'), coalesce(m.many, '{}'));
END $$;`

/**
 * settle_1 for several leases: of each, in one array after the other, so many settlements and so many attempts as are said
 * beside it. What other transactions wait for as well is locked first, in the order of all: accounts (those that `sharing`
 * names), then lanes.
 */
export const settleAll = `
CREATE FUNCTION settle_all_1(
  sharing text[], l_org text[], l_destination integer[], l_lane text[], l_token bigint[], l_who text[], l_settlements integer[], l_attempts integer[],
  l_ends boolean[], l_at bigint[], l_failures integer[], l_blocked text[], l_tried_at bigint[], l_last_error text[],
  l_retry_after bigint[], l_crashed boolean[],
  s_id bigint[], s_becomes text[], s_at bigint[], s_reason text[], s_due bigint[], s_contact text[], s_conversation text[],
  s_known bytea[], s_attempt integer[], s_earlier text[],
  a_at bigint[], a_ms bigint[], a_status integer[], a_many integer[], a_tries integer[],
  a_reason text[], a_next bigint[], a_excerpt bytea[]
) RETURNS TABLE (nth integer, held boolean, ready bigint, woke_org text, woke_destination integer, woke_lane text, long bigint[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  s integer := 1;
  a integer := 1;
  t integer;
  b integer;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(k) FROM (SELECT DISTINCT ${advisoryKey('o')} AS k FROM unnest(sharing) o ORDER BY 1) keys;
  PERFORM 1 FROM lanes n JOIN unnest(l_org, l_destination, l_lane) AS g (org, destination, lane) USING (org, destination, lane)
    ORDER BY n.org, n.destination, n.lane FOR UPDATE OF n;
  FOR i IN 1 .. cardinality(l_org) LOOP
    t := s + l_settlements[i] - 1;
    b := a + l_attempts[i] - 1;
    RETURN QUERY SELECT i, d.* FROM settle_1(
      l_org[i], l_destination[i], l_lane[i], l_token[i], l_who[i],
      s_id[s:t], s_becomes[s:t], s_at[s:t], s_reason[s:t], s_due[s:t], s_contact[s:t], s_conversation[s:t], s_known[s:t],
      s_attempt[s:t], s_earlier[s:t],
      a_at[a:b], a_ms[a:b], a_status[a:b], a_many[a:b], a_tries[a:b], a_reason[a:b], a_next[a:b], a_excerpt[a:b],
      l_ends[i], l_at[i], l_failures[i], l_blocked[i], l_tried_at[i], l_last_error[i], l_retry_after[i], l_crashed[i]) d;
    s := t + 1;
    a := b + 1;
  END LOOP;
END $$;`
