/** When lanes have something due: wake_1, and the SQL by which claims and settlements say when a lane is ready. */

const asleep = (now: string, at: string) =>
  `(${now}.ready_at IS NULL OR (${now}.lane = 'ask' AND ${now}.failures = 0 AND ${now}.blocked IS NULL AND ${now}.ready_at > ${at}))`

/** Lanes have something due from then on; gives those that slept. Their accounts' locks are shared, or the caller's alone. */
export const wake = `
CREATE FUNCTION wake_1(w_org text[], w_destination integer[], w_lane text[], w_at bigint[])
RETURNS TABLE (org text, destination integer, lane text) LANGUAGE sql AS $$
  INSERT INTO lanes AS l (org, destination, lane, ready_at)
  SELECT g.org, g.destination, g.lane, min(g.at) FROM unnest(w_org, w_destination, w_lane, w_at) AS g (org, destination, lane, at)
  LEFT JOIN lanes n ON n.org = g.org AND n.destination = g.destination AND n.lane = g.lane
  WHERE ${asleep('n', 'g.at')} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (org, destination, lane) DO UPDATE SET ready_at = excluded.ready_at
  WHERE ${asleep('l', 'excluded.ready_at')} RETURNING l.org, l.destination, l.lane
$$;`

/** When the first entry of a lane can be worked on, at `at` the earliest; null where the lane has no entry. */
export const firstDue = (l: string, at: string) => `CASE ${l}.lane
    WHEN 'send' THEN (SELECT (${at})::bigint FROM queue q WHERE q.org = ${l}.org AND q.destination = ${l}.destination LIMIT 1)
    ELSE (SELECT greatest((${at})::bigint, x.due_at) FROM exceptions x WHERE x.org = ${l}.org AND x.state = 'asking' ORDER BY x.due_at LIMIT 1)
  END`
