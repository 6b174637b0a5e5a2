// biome-ignore-all lint/style/noExcessiveLinesPerFile: what an event's way does in the database, function by function.
/**
 * What runs in the database for each webhook and each turn: one statement is one way to the server and back. The names
 * have a version: a function is never changed once it is released, since replicas of two versions may call it at once. So
 * a step of the migrations adds the next one.
 */
import { historyFrom } from '../ports/entry.ts'
import { crashesBeforeAlone } from '../ports/inbox.ts'
import { learntAt } from '../rows.ts'
import { probeWaitMsMax, waitMsMax } from '../waits.ts'
import { advisoryKey } from './locks.ts'

/** The numbers of history.ts, in its order. */
const note = (destination: string, outcome: string, attempt: string) =>
  `(int2send((${destination})::int2) || substring(int2send((${outcome})::int2) FROM 2) || substring(int8send(coalesce(${attempt}, 0)) FROM 3))`

const asleep = (now: string, at: string) =>
  `(${now}.ready_at IS NULL OR (${now}.lane = 'ask' AND ${now}.failures = 0 AND ${now}.blocked IS NULL AND ${now}.ready_at > ${at}))`

/** Lanes have something due from then on; gives those that slept. Their accounts' locks are shared, or the caller's alone. */
const wake = `
CREATE FUNCTION wake_1(w_org text[], w_destination integer[], w_lane text[], w_at bigint[])
RETURNS TABLE (org text, destination integer, lane text) LANGUAGE sql AS $$
  INSERT INTO lanes AS l (org, destination, lane, ready_at)
  SELECT g.org, g.destination, g.lane, min(g.at) FROM unnest(w_org, w_destination, w_lane, w_at) AS g (org, destination, lane, at)
  LEFT JOIN lanes n ON n.org = g.org AND n.destination = g.destination AND n.lane = g.lane
  WHERE ${asleep('n', 'g.at')} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (org, destination, lane) DO UPDATE SET ready_at = excluded.ready_at
  WHERE ${asleep('l', 'excluded.ready_at')} RETURNING l.org, l.destination, l.lane
$$;`

/** In one order everywhere, so that two transactions do not wait for each other in a circle; the last thing of each. */
const count = `
CREATE FUNCTION count_1(
  c_org text[], c_destination integer[], c_type text[], c_outcome text[], c_reason text[], c_by bigint[],
  m_org text[], m_at bigint[], m_destination integer[], m_type text[], m_outcome text[], m_reason text[], m_by bigint[]
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO counts AS c (org, destination, type, outcome, reason, count)
  SELECT org, destination, type, outcome, coalesce(reason, ''), sum(many)
  FROM unnest(c_org, c_destination, c_type, c_outcome, c_reason, c_by) AS g (org, destination, type, outcome, reason, many)
  GROUP BY 1, 2, 3, 4, 5 HAVING sum(many) <> 0 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (org, destination, type, outcome, reason) DO UPDATE SET count = c.count + excluded.count;
  INSERT INTO time_buckets AS m (org, at, destination, type, outcome, reason, count)
  SELECT org, at - at % 60000, destination, type, outcome, coalesce(reason, ''), sum(many)
  FROM unnest(m_org, m_at, m_destination, m_type, m_outcome, m_reason, m_by) AS g (org, at, destination, type, outcome, reason, many)
  GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (org, at, destination, type, outcome, reason) DO UPDATE SET count = m.count + excluded.count
$$;`

/** An account has somewhere to send to: what comes for it must not find nothing. */
const ensure = `
CREATE FUNCTION ensure_destination_1(orgs text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM unnest(orgs) o WHERE NOT EXISTS (SELECT 1 FROM destinations d WHERE d.org = o AND d.removed_at IS NULL)
  ) THEN
    INSERT INTO destinations (org, number, since)
    SELECT o, coalesce((SELECT max(number) FROM destinations WHERE org = o), 0) + 1, nextval('places') * 128
    FROM (SELECT DISTINCT o FROM unnest(orgs) o ORDER BY o) n (o)
    WHERE NOT EXISTS (SELECT 1 FROM destinations d WHERE d.org = o AND d.removed_at IS NULL)
    ON CONFLICT DO NOTHING;
  END IF;
END $$;`

/** Adding to an account's queues shares its lock: a lane does not fall asleep meanwhile. */
// mutant: lets a lane fall asleep while another replica adds to it
const shareAccounts = `PERFORM pg_advisory_xact_lock_shared(k)
  FROM (SELECT DISTINCT ${advisoryKey('o')} AS k FROM unnest(orgs) o ORDER BY 1) s;`

/**
 * Keeps nothing where something of it is known already, and says which: a row for each, its position beside a null. Where
 * another transaction has kept the same in this very moment, it raises DS001 with the positions, and nothing is kept either.
 */
const append = `
CREATE FUNCTION append_1(
  orgs text[], all_sealed bytea, b_org text[], b_at integer[], b_length integer[], b_n integer[],
  received_first bigint, e_nth integer[], e_identity bytea[], e_once bytea[], e_until bigint[], e_body integer[], e_position integer[],
  e_org text[], e_type text[], e_state text[], e_message text[], e_received bigint[], e_mapping integer[],
  e_bytes integer[], e_reason text[], e_due bigint[], e_contact text[], e_conversation text[], e_lane integer[], e_person bytea[],
  c_org text[], c_type text[], c_outcome text[], c_reason text[], c_by bigint[],
  m_org text[], m_at bigint[], m_type text[], m_outcome text[], m_reason text[], m_by bigint[]
) RETURNS TABLE (org text, destination integer, lane text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  known text;
  had_nth integer[] := '{}';
  had_number integer[] := '{}';
  ids bigint[];
  taken record;
  due record;
BEGIN
  ${shareAccounts}
  RETURN QUERY SELECT NULL::text, a.nth, NULL::text FROM unnest(e_nth, e_identity, e_until) AS a (nth, identity, until)
    JOIN identities i USING (identity)
    WHERE i.until > received_first AND i.until - a.until <= a.until - received_first
  UNION SELECT NULL::text, a.nth, NULL::text FROM unnest(e_nth, e_org, e_once, e_state) AS a (nth, org, once, state)
    WHERE a.once IS NOT NULL AND a.state IN ('waiting', 'asking')
      AND EXISTS (SELECT 1 FROM destinations d WHERE d.org = a.org AND d.removed_at IS NULL)
      AND NOT EXISTS (
        SELECT 1 FROM destinations d LEFT JOIN occurrences o ON o.org = d.org AND o.key = a.once AND o.destination = d.number
        WHERE d.org = a.org AND d.removed_at IS NULL AND o.org IS NULL
      )
  UNION SELECT NULL::text, a.nth, NULL::text FROM unnest(e_nth, e_org, e_person) AS a (nth, org, person)
    JOIN occurrences o ON o.org = a.org AND o.key = a.person AND o.destination = 0;
  IF FOUND THEN RETURN; END IF;
  WITH fresh AS (
    INSERT INTO identities AS i SELECT * FROM unnest(e_identity, e_until) AS a (identity, until) ORDER BY identity
    ON CONFLICT (identity) DO UPDATE SET until = excluded.until
      WHERE i.until <= received_first OR i.until - excluded.until > excluded.until - received_first
    RETURNING identity
  )
  SELECT string_agg(a.nth::text, ',') INTO known FROM unnest(e_nth, e_identity) AS a (nth, identity)
  WHERE NOT EXISTS (SELECT 1 FROM fresh f WHERE f.identity = a.identity);
  IF known IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'DS001', MESSAGE = 'known already', DETAIL = known; END IF;
  PERFORM ensure_destination_1(ARRAY(SELECT DISTINCT a.org FROM unnest(e_org, e_state) AS a (org, state) WHERE a.state IN ('waiting', 'asking')));
  IF array_remove(e_once, NULL) <> '{}' THEN
    WITH for_each AS MATERIALIZED (
      SELECT a.nth, a.org, a.once, d.number FROM unnest(e_nth, e_org, e_once, e_state) AS a (nth, org, once, state)
      JOIN destinations d ON d.org = a.org AND d.removed_at IS NULL
      WHERE a.once IS NOT NULL AND a.state IN ('waiting', 'asking')
    ), claimed AS (
      INSERT INTO occurrences (org, key, destination) SELECT org, once, number FROM for_each ORDER BY 1, 2, 3
      ON CONFLICT DO NOTHING RETURNING org, key, destination
    ), judged AS MATERIALIZED (
      SELECT f.nth, f.number, c.key IS NULL AS is_had FROM for_each f
      LEFT JOIN claimed c ON c.org = f.org AND c.key = f.once AND c.destination = f.number
    )
    SELECT coalesce(array_agg(nth) FILTER (WHERE is_had), '{}'), coalesce(array_agg(number) FILTER (WHERE is_had), '{}'),
      (SELECT string_agg(nth::text, ',') FROM (SELECT nth FROM judged GROUP BY nth HAVING bool_and(is_had)) j)
    INTO had_nth, had_number, known FROM judged;
    IF known IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'DS001', MESSAGE = 'known already', DETAIL = known; END IF;
    FOR i IN 1 .. cardinality(e_nth) LOOP
      -- What a destination has had already is not for all of them any more: the lanes of the others ask.
      IF e_state[i] = 'asking' AND e_nth[i] = ANY (had_nth) THEN
        e_state[i] := 'waiting';
        c_org := c_org || e_org[i]; c_type := c_type || e_type[i]; c_outcome := c_outcome || 'taken'::text;
        c_reason := c_reason || ''::text; c_by := c_by || 1::bigint;
      END IF;
    END LOOP;
  END IF;
  ids := ARRAY(SELECT nextval('places') * 128 FROM generate_series(1, cardinality(b_org)));
  WITH arrived AS MATERIALIZED (
    SELECT ids[body + 1] + position AS id, a.* FROM unnest(
      e_nth, e_once, e_body, e_position, e_org, e_type, e_state, e_message, e_received, e_mapping, e_bytes, e_reason, e_due,
      e_contact, e_conversation, e_lane
    ) AS a (
      nth, once, body, position, org, type, state, message_id, received_at, mapping, bytes, reason, due_at, contact,
      conversation, lane
    )
  ), bodied AS (
    INSERT INTO bodies (id, org, n, sealed)
    SELECT ids[i], b_org[i], b_n[i], substring(all_sealed FROM b_at[i] FOR b_length[i])
    FROM generate_subscripts(b_org, 1) i
  ), kept AS (
    INSERT INTO entries (id, org, type, message_id, received_at, mapping, bytes, contact, conversation)
    SELECT id, org, type, message_id, received_at, mapping, bytes, contact, conversation FROM arrived
  ), meant AS MATERIALIZED (
    SELECT a.id, a.org, a.type, a.received_at, a.lane, d.number FROM arrived a
    JOIN destinations d ON d.org = a.org AND d.removed_at IS NULL
    LEFT JOIN unnest(had_nth, had_number) AS h (nth, number) ON h.nth = a.nth AND h.number = d.number
    WHERE a.state = 'waiting' AND h.nth IS NULL
  ), queued AS (
    INSERT INTO queue (org, destination, lane, place, id) SELECT org, number, lane, id, id FROM meant
  ), excepted AS (
    INSERT INTO exceptions (id, destination, org, state, reason, received_at, due_at, once)
    SELECT id, 0, org, state, reason, received_at, due_at, CASE state WHEN 'unclaimed' THEN once END FROM arrived WHERE state <> 'waiting'
  ), searched AS (
    INSERT INTO search_index (org, kind, value, id)
    SELECT '', 'message', message_id, id FROM arrived
    UNION ALL SELECT org, 'type', type, id FROM arrived
    UNION ALL SELECT org, 'contact', contact, id FROM arrived WHERE contact IS NOT NULL
    UNION ALL SELECT org, 'conversation', conversation, id FROM arrived WHERE conversation IS NOT NULL
  ), counted AS (
    SELECT org, number, type, count(*) AS many, min(received_at) AS at FROM meant GROUP BY 1, 2, 3
  )
  SELECT array_agg(org) AS org, array_agg(number) AS destination, array_agg(type) AS type,
    array_agg('taken'::text) AS outcome, array_agg(''::text) AS reason, array_agg(many) AS many, array_agg(at) AS at,
    array_agg('send'::text) AS lane INTO taken FROM counted;
  SELECT array_agg(a.org) AS org, array_agg(0) AS destination, array_agg('ask'::text) AS lane, array_agg(a.received) AS at
  INTO due FROM unnest(e_org, e_state, e_received) AS a (org, state, received) WHERE a.state = 'asking';
  RETURN QUERY SELECT w.org, w.destination, w.lane FROM wake_1(
    coalesce(taken.org, '{}') || coalesce(due.org, '{}'), coalesce(taken.destination, '{}') || coalesce(due.destination, '{}'),
    coalesce(taken.lane, '{}') || coalesce(due.lane, '{}'), coalesce(taken.at, '{}') || coalesce(due.at, '{}')) w;
  PERFORM count_1(
    c_org || coalesce(taken.org, '{}'), array_fill(0, ARRAY[cardinality(c_org)]) || coalesce(taken.destination, '{}'),
    c_type || coalesce(taken.type, '{}'), c_outcome || coalesce(taken.outcome, '{}'),
    c_reason || coalesce(taken.reason, '{}'), c_by || coalesce(taken.many, '{}'),
    m_org, m_at, array_fill(0, ARRAY[cardinality(m_org)]), m_type, m_outcome, m_reason, m_by);
END $$;`

const longestMs = `CASE WHEN l.blocked IS NULL THEN ${waitMsMax} ELSE ${probeWaitMsMax} END`
const takenUntil = `CASE WHEN l.org || ' ' || l.destination = ANY (busy) THEN NULL WHEN l.holder = who THEN 0 ELSE coalesce(l.lease_until, 0) END`

/** When the first entry of a lane can be worked on, at `at` the earliest; null when there is none. */
const firstDue = (l: string, at: string) => `CASE ${l}.lane
    WHEN 'send' THEN (SELECT (${at})::bigint FROM queue q WHERE q.org = ${l}.org AND q.destination = ${l}.destination LIMIT 1)
    ELSE (SELECT greatest((${at})::bigint, x.due_at) FROM exceptions x WHERE x.org = ${l}.org AND x.state = 'asking' ORDER BY x.due_at LIMIT 1)
  END`

const givenColumns = `e.id, e.org, e.type, e.message_id, e.received_at, e.mapping, e.bytes, e.contact, e.conversation, e.resent`
const joined = `JOIN entries e ON e.id = i.id LEFT JOIN bodies b ON b.id = e.id - e.id % 128`

/** Of each body what is sealed stands beside its first entry alone; the bytes of those before it are summed up. */
const within = (rows: string) => `
  SELECT r.place, r.id, r.org, r.type, r.message_id, r.received_at, r.mapping, r.bytes, r.contact, r.conversation, r.resent, r.failures,
    r.version, CASE WHEN r.is_first THEN b.sealed END AS sealed, r.known
  FROM (
    SELECT f.*, sum(CASE WHEN f.is_first THEN f.sealed_bytes ELSE 0 END) OVER (ORDER BY f.nth) AS sum FROM (
      SELECT n.*, row_number() OVER (PARTITION BY n.id - n.id % 128 ORDER BY n.nth) = 1 AS is_first FROM (
        SELECT i.*, row_number() OVER (ORDER BY i.rank, i.place) AS nth FROM (${rows}) i
      ) n
    ) f
  ) r LEFT JOIN bodies b ON r.is_first AND b.id = r.id - r.id % 128
  WHERE r.nth = 1 OR r.sum <= bytes_most ORDER BY r.nth`

const queuedRows = (condition: string) => `
  SELECT i.lane AS rank, i.lane * ${historyFrom} + i.place AS place, ${givenColumns}, 0 AS failures, b.version, length(b.sealed) AS sealed_bytes, ${learntAt('i.destination')} AS known
  FROM (SELECT * FROM queue WHERE org = of_org AND destination = of_destination AND ${condition} ORDER BY lane, place LIMIT most) i
  ${joined}`

/** What the caller knows as one place is a lane and a place in it. */
const behind = `(lane, place) > ((after / ${historyFrom})::integer, after % ${historyFrom})`

const lookupRows = `
  SELECT i.due_at AS rank, i.id AS place, ${givenColumns}, i.failures, b.version, length(b.sealed) AS sealed_bytes, ${learntAt('i.destination')} AS known
  FROM (SELECT * FROM exceptions WHERE org = of_org AND state = 'asking' AND due_at <= at ORDER BY due_at, id LIMIT most) i
  ${joined}`

const givenTable = `place bigint, id bigint, org text, type text, message_id text, received_at bigint, mapping integer,
  bytes integer, contact text, conversation text, resent text, failures integer, version integer, sealed bytea, known bytea`

/** What stands first in a lane. Of a table function: its rows are read once the lease is ours, and not as of before. */
const first = `
CREATE FUNCTION first_1(of_lane text, of_org text, of_destination integer, at bigint, most integer, bytes_most bigint)
RETURNS TABLE (${givenTable}) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  IF of_lane = 'send' THEN RETURN QUERY ${within(queuedRows('true'))};
  ELSE RETURN QUERY ${within(lookupRows)};
  END IF;
END $$;

CREATE FUNCTION more_1(
  of_org text, of_destination integer, of_token bigint, who text, after bigint, given bigint[], most integer, bytes_most bigint
) RETURNS TABLE (${givenTable}) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM lanes l WHERE l.org = of_org AND l.destination = of_destination AND l.lane = 'send' AND l.token = of_token
      AND l.holder IS NOT DISTINCT FROM who AND l.lease_until IS NOT NULL AND l.isolating = 0
  ) THEN RETURN; END IF;
  IF given IS NULL THEN RETURN QUERY ${within(queuedRows(behind))};
  ELSE RETURN QUERY ${within(queuedRows(`(${behind} OR NOT id = ANY (given))`))};
  END IF;
END $$;`

/** more_1 for several leases: of what each was given already, so many of `l_given` as are said beside it; null: any may be given. */
const moreAll = `
CREATE FUNCTION more_all_1(
  l_org text[], l_destination integer[], l_token bigint[], l_who text[], l_after bigint[], l_given integer[], l_most integer[],
  l_bytes_most bigint[], all_given bigint[]
) RETURNS TABLE (nth integer, ${givenTable}) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  g integer := 0;
BEGIN
  FOR i IN 1 .. cardinality(l_org) LOOP
    RETURN QUERY SELECT i, m.* FROM more_1(l_org[i], l_destination[i], l_token[i], l_who[i], l_after[i],
      CASE WHEN l_given[i] IS NOT NULL THEN all_given[g + 1:g + l_given[i]] END, l_most[i], l_bytes_most[i]) m;
    g := g + coalesce(l_given[i], 0);
  END LOOP;
END $$;`

/**
 * Leases lanes that no other holder is busy with, and gives what stands first in each. A lane in which nothing was after all is
 * given back; that it is empty is only said with the account's lock alone, which is tried for: else the next claim finds out.
 * One that may have ended processes comes by itself. Where there was room for more, a last row says when the next is due.
 */
const claim = `
CREATE FUNCTION claim_1(
  which text, who text, busy text[], at bigint, until bigint, far_ahead boolean, room integer, most integer, bytes_most bigint
) RETURNS TABLE (
  next_due bigint, lane_org text, lane_destination integer, token bigint, lane_failures integer, crashes integer,
  blocked text, asked integer, ${givenTable}
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  l record;
  given bigint;
  leases integer := 0;
  seen text[] := '{}';
BEGIN
  WHILE leases < room LOOP
    SELECT l.*, l.crashes + (l.lease_until IS NOT NULL AND (l.holder = who) IS NOT TRUE)::integer AS now_crashes INTO l
    FROM lanes l
    WHERE l.lane = which AND l.hold IS NULL AND l.ready_at IS NOT NULL
      AND (l.ready_at <= at OR far_ahead AND l.ready_at > at + ${longestMs}) AND ${takenUntil} <= at
      AND NOT l.org || ' ' || l.destination = ANY (seen)
    ORDER BY l.served LIMIT 1 FOR UPDATE SKIP LOCKED;
    EXIT WHEN NOT FOUND OR leases > 0 AND l.now_crashes >= ${crashesBeforeAlone};
    UPDATE lanes u SET token = u.token + 1, lease_until = until, holder = who, crashes = l.now_crashes, served = nextval('places')
    WHERE u.org = l.org AND u.destination = l.destination AND u.lane = l.lane;
    seen := seen || (l.org || ' ' || l.destination);
    IF which = 'ask' AND far_ahead THEN
      UPDATE exceptions x SET due_at = at WHERE x.org = l.org AND x.state = 'asking' AND x.due_at > at + ${waitMsMax};
    END IF;
    IF l.isolating = 0 AND l.now_crashes >= ${crashesBeforeAlone} THEN
      SELECT count(*) INTO given FROM first_1(which, l.org, l.destination, at, CASE WHEN l.blocked IS NULL THEN most ELSE 1 END, bytes_most);
      UPDATE lanes u SET isolating = given WHERE u.org = l.org AND u.destination = l.destination AND u.lane = l.lane;
      l.isolating := given;
    END IF;
    RETURN QUERY SELECT NULL::bigint, l.org, l.destination, l.token + 1, l.failures, l.now_crashes, l.blocked, l.asked, f.* FROM first_1(
      which, l.org, l.destination, at,
      CASE WHEN l.blocked IS NULL AND l.isolating = 0 THEN most ELSE 1 END, bytes_most) f;
    GET DIAGNOSTICS given = ROW_COUNT;
    IF given > 0 THEN
      leases := leases + 1;
      EXIT WHEN l.now_crashes >= ${crashesBeforeAlone};
    ELSE
      UPDATE lanes u SET lease_until = NULL, crashes = 0, isolating = 0, asked = 0
      WHERE u.org = l.org AND u.destination = l.destination AND u.lane = l.lane;
      IF pg_try_advisory_xact_lock(${advisoryKey('l.org')}) THEN
        UPDATE lanes u SET ready_at = ${firstDue('u', 'at')}
        WHERE u.org = l.org AND u.destination = l.destination AND u.lane = l.lane;
      END IF;
    END IF;
  END LOOP;
  IF leases < room THEN
    RETURN QUERY SELECT
      (SELECT min(greatest(n.ready_at, n.taken_until)) FROM (
        SELECT l.ready_at, ${takenUntil} AS taken_until FROM lanes l
        WHERE l.lane = which AND l.ready_at IS NOT NULL AND l.hold IS NULL
          AND NOT (l.org || ' ' || l.destination = ANY (seen) AND l.lease_until = until AND l.holder IS NOT DISTINCT FROM who)
      ) n WHERE n.taken_until IS NOT NULL),
      NULL::text, NULL::integer, NULL::bigint, NULL::integer, NULL::integer, NULL::text, NULL::integer,
      NULL::bigint, NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::bigint, NULL::integer, NULL::integer, NULL::text,
      NULL::text, NULL::text, NULL::integer, NULL::integer, NULL::bytea, NULL::bytea;
  END IF;
END $$;`

/** Everything that names these entries, with them; what was not final is counted as expired. The account's lock is the caller's. */
const remove = `
CREATE FUNCTION remove_1(gone bigint[]) RETURNS integer LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  counted record;
  removed integer;
BEGIN
  WITH e AS MATERIALIZED (
    SELECT id, org, type, message_id, contact, conversation, history FROM entries WHERE id = ANY (gone)
  ), x AS (
    DELETE FROM exceptions WHERE id = ANY (gone) RETURNING id, destination, state, place
  ), q AS (
    DELETE FROM queue q USING e, destinations d WHERE d.org = e.org AND q.org = e.org AND q.destination = d.number AND q.lane IN (0, 1)
      AND q.id = e.id AND q.place = coalesce(
        (SELECT place FROM exceptions y WHERE y.id = e.id AND y.destination = d.number AND y.state = 'waiting'), e.id)
    RETURNING q.id, q.destination
  ), expired AS (
    SELECT CASE x.state WHEN 'unclaimed' THEN '' ELSE e.org END AS org, x.destination, e.type,
      CASE x.state WHEN 'dead' THEN 'dead' ELSE 'expired' END AS outcome FROM x JOIN e USING (id) WHERE x.state <> 'waiting'
    UNION ALL SELECT e.org, q.destination, e.type, 'expired' FROM q JOIN e USING (id)
  ), attempted AS (
    SELECT DISTINCT e.id, ('x' || encode(substring(e.history FROM 9 * n + 4 FOR 6), 'hex'))::bit(48)::bigint AS attempt
    FROM e, generate_series(0, length(e.history) / 9 - 1) n WHERE get_byte(e.history, 9 * n + 2) <> 255
  ), fewer AS (
    UPDATE attempts a SET remain = a.remain - n.many, excerpt = NULL
    FROM (SELECT attempt, count(*) AS many FROM attempted WHERE attempt > 0 GROUP BY 1 ORDER BY 1) n WHERE a.id = n.attempt
  ), searched AS (
    DELETE FROM search_index s USING e WHERE s.id = e.id AND (
      s.org = '' AND s.kind = 'message' AND s.value = e.message_id OR s.org = e.org AND s.kind = 'type' AND s.value = e.type
      OR s.org = e.org AND s.kind = 'contact' AND s.value = e.contact
      OR s.org = e.org AND s.kind = 'conversation' AND s.value = e.conversation)
  ), learnt_gone AS (
    DELETE FROM learnt WHERE id = ANY (gone)
  ), gone_entries AS (
    DELETE FROM entries WHERE id = ANY (gone) RETURNING id
  )
  SELECT (SELECT count(*) FROM gone_entries) AS removed, (SELECT array_agg(DISTINCT attempt) FROM attempted) AS attempts,
    array_agg(org) AS org, array_agg(destination) AS destination,
    array_agg(type) AS type, array_agg(outcome) AS outcome INTO counted FROM expired;
  removed := counted.removed;
  UPDATE bodies b SET n = b.n - g.many, trim = b.trim + 1
  FROM (SELECT id - id % 128 AS body, count(*) AS many FROM unnest(gone) id GROUP BY 1 ORDER BY 1) g WHERE b.id = g.body;
  DELETE FROM bodies WHERE id IN (SELECT id - id % 128 FROM unnest(gone) id) AND n <= 0;
  DELETE FROM attempts WHERE id = ANY (counted.attempts) AND remain <= 0;
  IF counted.org IS NOT NULL THEN
    PERFORM count_1(counted.org, counted.destination, counted.type, counted.outcome,
      array_fill(''::text, ARRAY[cardinality(counted.org)]), array_fill(1::bigint, ARRAY[cardinality(counted.org)]),
      '{}', '{}', '{}', '{}', '{}', '{}', '{}');
  END IF;
  RETURN removed;
END $$;`

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
const settle = `
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
const settleAll = `
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

/** Between which ids an account's entries, or all, begin to be of this time or later, in steps of one body. */
const idsAt = `
CREATE FUNCTION ids_at_1(of_org text, at bigint, OUT first bigint, OUT below bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  middle bigint;
  probe record;
BEGIN
  first := 0;
  below := coalesce(CASE WHEN of_org IS NULL THEN (SELECT max(id) FROM entries)
    ELSE (SELECT e.id FROM entries e WHERE e.org = of_org ORDER BY e.org DESC, e.id DESC LIMIT 1) END, 0) + 1;
  WHILE below - first > 128 LOOP
    middle := first + (below - first) / 2;
    IF of_org IS NULL THEN
      SELECT e.id, e.received_at INTO probe FROM entries e WHERE e.id >= middle ORDER BY e.id LIMIT 1;
    ELSE
      SELECT e.id, e.received_at INTO probe FROM entries e WHERE e.org = of_org AND e.id >= middle ORDER BY e.org, e.id LIMIT 1;
    END IF;
    IF probe.id IS NOT NULL AND probe.received_at < at THEN first := probe.id + 1; ELSE below := middle; END IF;
  END LOOP;
END $$;`

export const functions = [idsAt, wake, count, ensure, append, first, moreAll, claim, remove, settle, settleAll].join(
  '\n',
)
