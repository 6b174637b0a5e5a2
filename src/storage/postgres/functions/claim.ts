/** Hands out entries: claim_1 leases lanes, and more_all_1 reads on under a lease. */
import { historyFrom } from '../../ports/entry.ts'
import { crashesBeforeAlone } from '../../ports/inbox.ts'
import { learntAt } from '../../rows.ts'
import { probeWaitMsMax, waitMsMax } from '../../waits.ts'
import { advisoryKey } from '../locks.ts'
import { firstDue } from './lanes.ts'

const longestMs = `CASE WHEN l.blocked IS NULL THEN ${waitMsMax} ELSE ${probeWaitMsMax} END`
const takenUntil = `CASE WHEN l.org || ' ' || l.destination = ANY (busy) THEN NULL WHEN l.holder = who THEN 0 ELSE coalesce(l.lease_until, 0) END`
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
export const first = `
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
export const moreAll = `
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
export const claim = `
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
