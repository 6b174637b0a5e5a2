/** Finds the ids that an account had at a time: ids_at_1. */

/** Between which ids an account's entries, or all, begin to be of this time or later, in steps of one body. */
export const idsAt = `
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
