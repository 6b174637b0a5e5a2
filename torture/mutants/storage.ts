// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it quotes source text.
/** Mutants of src/storage: what an engine can do wrong. */
import type { Catcher, Mutant } from './mutant.ts'

const simulation: Catcher = { simulate: 30 }
const conformance: Catcher = { test: 'src/storage/conformance.test.ts' }
const model: Catcher = { test: 'test/storage/store-model.test.ts' }

export const storageMutants: readonly Mutant[] = [
  {
    name: 'commits without waiting for the disk (synchronous = NORMAL)',
    becomes: "if (purpose !== 'look') db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')",
    // Where nothing can record the writes, the setting itself is looked at.
    catchers: [{ torture: 'F3' }, { test: 'src/storage/sqlite/sqlite.test.ts' }],
  },
  {
    name: 'does not look whether another content was copied into its file',
    becomes: 'return () => true',
    catchers: [{ test: 'test/storage/store-moved.test.ts', only: 'replaced in place by a backup, as' }],
  },
  {
    name: 'answers though its file was moved away',
    becomes: '',
    catchers: [{ test: 'test/storage/store-moved.test.ts' }],
  },
  {
    name: 'has no unique index for identities in SQLite',
    becomes: 'let isKnown = false',
    catchers: [conformance],
  },
  {
    name: 'keeps what is read of a person who is erased meanwhile',
    becomes: 'isKnown ||= carriedOut(db, isErased({ ...arrival, person: null }))',
    catchers: [conformance],
  },
  {
    name: 'lets a holder that lost its lease settle, in SQLite',
    becomes: 'const heldLease = `${thisLane} AND ? > 0 AND holder IS ?`',
    catchers: [simulation, conformance],
  },
  {
    name: 'lets a lane fall asleep while another replica adds to it',
    becomes: "const shareAccounts = ''",
    catchers: [{ test: 'src/storage/postgres/adding.test.ts', only: 'say of no lane that it is empty' }],
  },
  {
    name: 'forgets a lane that a claim found empty while another replica adds to it',
    becomes: "['l.lease_until = until AND', 'l.lease_until = until AND'],",
    catchers: [{ test: 'src/storage/postgres/adding.test.ts', only: 'claim again at once' }],
  },
  {
    name: 'reads all events of an account to settle some',
    becomes: "['WHERE e.id = s.id AND e.org = of_org', 'WHERE e.id = s.id AND e.org = of_org'],",
    catchers: [{ test: 'src/storage/postgres/reads.test.ts', only: 'delivering' }],
  },
  {
    name: "lets what one account's settlement is refused for keep others from settling",
    becomes: 'if (group.length > 0) throw error',
    catchers: [{ test: 'src/storage/postgres/settling.test.ts', only: 'keeps no other' }],
  },
  {
    name: 'believes a claim that began before something woke',
    becomes: '',
    catchers: [{ test: 'src/storage/postgres/known-due.test.ts', only: 'while the last one was under way' }],
  },
  {
    name: 'takes what has become due for what is due later',
    becomes: 'const isLater = was !== undefined',
    catchers: [{ test: 'src/storage/postgres/known-due.test.ts', only: 'is due, and says' }],
  },
  {
    name: 'says to no other replica what it has no room for',
    becomes: '',
    catchers: [{ test: 'src/storage/postgres/waking.test.ts', only: 'has no room' }],
  },
  {
    name: 'takes what woke during a claim for what the claim has seen',
    becomes: 'done((woken) => woken.lane === lane && (hasSeenAll || taken.has(nameOf(woken))))',
    catchers: [{ test: 'src/storage/postgres/waking.test.ts', only: 'began before it woke' }],
  },
  {
    name: 'lets a later event overtake one whose commit came late',
    becomes: 'const known = undefined as number[] | undefined',
    catchers: [{ test: 'src/storage/postgres/adding.test.ts', only: 'give a lease that goes on' }],
  },
  {
    name: 'only marks as free what it erased from the SQLite file',
    becomes:
      "if (purpose !== 'look') db.exec(`PRAGMA secure_delete = OFF; PRAGMA journal_size_limit = ${logBytesMax}`)",
    catchers: [{ test: 'src/storage/sqlite/purge.test.ts' }],
  },
  {
    name: 'says that all is erased while the log has it still',
    becomes: "return db.get('PRAGMA wal_checkpoint(TRUNCATE)') !== undefined",
    catchers: [{ test: 'src/storage/sqlite/purge.test.ts' }],
  },
  {
    name: 'waits for its own lease that got lost, in SQLite',
    becomes: [
      "export const takenUntil = `CASE WHEN org || ' ' || destination IN (SELECT value FROM json_each(?)) THEN NULL",
      '  WHEN holder = ? THEN lease_until ELSE coalesce(lease_until, 0) END`',
    ].join('\n'),
    catchers: [conformance],
  },
  {
    name: 'judges a lease by the wall clock alone',
    becomes: [
      "const still = 'org = ? AND lane = ? AND ? > 0 AND holder IS ? AND lease_until IS NOT NULL'",
      'return db.run(`UPDATE lanes SET lease_until = ? WHERE ${still}`, until, ...heldBy(lease)) === 1',
    ].join('\n'),
    catchers: [conformance],
  },
  {
    name: 'does not count a crash before it works',
    becomes: 'const crashes = Number(found.crashes)',
    catchers: [conformance],
  },
  {
    name: 'stops isolating after the first innocent entry',
    becomes: 'return { crashes: 0, isolating: crashes > crashesBeforeIsolating ? 0 : Math.min(isolating, 0) }',
    catchers: [conformance, { test: 'src/pipeline/worker.test.ts' }],
  },
  {
    name: 'takes events away without ending their leases',
    becomes: '',
    catchers: [model],
  },
  {
    name: 'clears the mark of a body without looking whether one more event was taken',
    becomes: 'const sameTexts = positions.length >= 0',
    catchers: [conformance],
  },
  {
    name: 'lets a lane fall asleep without looking',
    becomes: 'const ready = first ? null : null',
    catchers: [model],
  },
  {
    name: 'gives an answer to destinations that were added after the event',
    becomes: 'const meant = destination === 0 ? carriedOut(db, meantFor(org, Number.MAX_SAFE_INTEGER)) : [destination]',
    catchers: [model],
  },
  {
    name: 'gives a destination an event whose natural key it has had',
    becomes: 'const free = all',
    catchers: [model, conformance],
  },
  {
    name: 'moves what a job sends again though the job is lost',
    becomes: '',
    catchers: [conformance],
  },
  {
    name: 'keeps what an answer said of an event that was erased',
    becomes: "db.run('UPDATE attempts SET remain = remain - 1 WHERE id = ?', attempt)",
    catchers: [conformance],
  },
  {
    name: 'settles what is not in the queue any more',
    becomes: 'dequeue(db, lease, id)',
    catchers: [model, conformance],
  },
  {
    name: 'keeps no order in an account, in SQLite',
    becomes: [
      "`SELECT ${columns}, i.lane * ${historyFrom} + i.place AS place, 'waiting' AS state, 0 AS failures FROM queue i ${joined}",
      '  WHERE i.org = ? AND i.destination = ? AND (i.lane, i.place) > (?, ?) ORDER BY i.lane, i.place DESC LIMIT ?`,',
    ].join('\n'),
    catchers: [simulation, conformance],
  },
  {
    name: 'ignores that a commit failed',
    becomes: "return asks.map((ask) => ({ id: ask.id, value: ['stored'] }))",
    catchers: [{ test: 'test/storage/disk.test.ts' }],
  },
  {
    name: 'erases what has come since the account was connected again',
    becomes: '',
    catchers: [conformance],
  },
  {
    name: 'resends to a destination what another event has given it',
    becomes: '',
    catchers: [conformance],
  },
  {
    name: 'gives an event that was quarantined to a destination that has had its natural key by another',
    becomes: 'const free = [...meant, ...(yield* claimOnce({ ...move, org: to }, meant))]',
    catchers: [model, conformance],
  },
  {
    name: 'takes what was only sent again for what a sender has had',
    becomes:
      'const isTried = wasTried(history as Uint8Array | null, destination) || (history as Uint8Array | null)?.length! > 0',
    catchers: [conformance],
  },
  {
    name: 'sends to every destination as new what was to be new for one',
    becomes:
      'const { [destination]: before = {} } = choicesIn(resent), others: Record<string, Choice> = { 1: { sending: 1 } }',
    catchers: [conformance],
  },
  {
    name: 'changes what a sender has in hand',
    becomes: '',
    catchers: [conformance],
  },
]
