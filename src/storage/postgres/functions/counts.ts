/** Adds to totals and time buckets: count_1. */

/** In one order everywhere, so that two transactions do not wait for each other in a circle; the last thing of each. */
export const count = `
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
