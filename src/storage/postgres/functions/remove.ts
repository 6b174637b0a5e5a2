/** Takes entries away: remove_1. */

/** Everything that names these entries, with them; what was not final is counted as expired. The account's lock is the caller's. */
export const remove = `
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
