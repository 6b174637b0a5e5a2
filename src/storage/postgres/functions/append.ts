/** Keeps webhooks, all of a group or none of it: append_1, with the account's first destination. */
import { advisoryKey } from '../locks.ts'

/** An account has somewhere to send to: what comes for it must not find nothing. */
export const ensure = `
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
export const append = `
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
