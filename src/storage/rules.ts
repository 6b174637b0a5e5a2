/** What holds in a store between two operations, for both engines alike. */

/** What is wrong, and the rows that are. */
export const rules: readonly (readonly [string, string])[] = [
  ['entries have no body', 'entries e WHERE NOT EXISTS (SELECT 1 FROM bodies WHERE id = e.id - e.id % 128)'],
  ['bodies have no entry', 'bodies b WHERE NOT EXISTS (SELECT 1 FROM entries WHERE id >= b.id AND id < b.id + 128)'],
  ['queued entries are not there', 'queue q WHERE NOT EXISTS (SELECT 1 FROM entries WHERE id = q.id AND org = q.org)'],
  [
    'exceptions are of no entry',
    'exceptions x WHERE NOT EXISTS (SELECT 1 FROM entries WHERE id = x.id AND org = x.org)',
  ],
  [
    'natural keys are of no destination',
    `occurrences o WHERE destination > 0 AND NOT EXISTS (
       SELECT 1 FROM destinations WHERE org = o.org AND number = o.destination AND removed_at IS NULL
     )`,
  ],
  [
    'entries that wait again are not queued',
    `exceptions x WHERE state = 'waiting' AND NOT EXISTS (
       SELECT 1 FROM queue WHERE org = x.org AND destination = x.destination AND lane = 0 AND place = x.place AND id = x.id
     )`,
  ],
  [
    'queued entries are not in their place',
    `queue q WHERE place <> id AND NOT EXISTS (
       SELECT 1 FROM exceptions WHERE id = q.id AND destination = q.destination AND state = 'waiting' AND place = q.place
     )`,
  ],
  [
    'queued entries are dead or quarantined as well',
    `queue q WHERE EXISTS (
       SELECT 1 FROM exceptions WHERE id = q.id AND destination IN (0, q.destination) AND state <> 'waiting'
     )`,
  ],
]
