/**
 * Services that break the promise on purpose, each as a small change of the source, made in a copy. Every one must be
 * caught by the suite. Where the text that is changed is not in the file any more, the list has to be mended.
 */
export interface Mutant {
  name: string
  file: string
  /** Each text is replaced by the one beside it; it must stand in the file, and once. */
  edits: readonly (readonly [from: string, to: string])[]
  /** What is tried until something fails, the quickest first. */
  catchers: readonly Catcher[]
}

/** `only`: the tests of that file with this in their title. */
export type Catcher = { test: string; only?: string } | { simulate: number } | { torture: string }

const simulation: Catcher = { simulate: 30 }
const conformance: Catcher = { test: 'src/storage/conformance.test.ts' }

export const mutants: readonly Mutant[] = [
  {
    name: 'answers before the commit',
    file: 'src/pipeline/receive.ts',
    edits: [
      [
        'const [outcome] = await inbox.append([arrival])',
        "const outcome = (arrival.state === 'ignored' ? 'ignored' : 'stored') as 'stored' | 'duplicate' | 'ignored'\n    inbox.append([arrival]).catch(() => {})",
      ],
    ],
    catchers: [simulation],
  },
  {
    name: 'keeps a queue in memory behind the 200',
    file: 'src/storage/grouping.ts',
    edits: [['return (await results).slice(start, start + batch.length)', "return batch.map(() => 'stored' as const)"]],
    catchers: [conformance],
  },
  {
    name: 'commits without waiting for the disk (synchronous = NORMAL)',
    file: 'src/storage/sqlite/database.ts',
    edits: [['PRAGMA synchronous = FULL', 'PRAGMA synchronous = NORMAL']],
    // Where nothing can record the writes, the setting itself is looked at.
    catchers: [{ torture: 'F3' }, { test: 'src/storage/sqlite/sqlite.test.ts' }],
  },
  {
    name: 'does not look whether another content was copied into its file',
    file: 'src/storage/sqlite/stamp.ts',
    edits: [['return stampIn(path) === stamp', "return stampIn(path) !== '' || stamp !== ''"]],
    catchers: [{ test: 'test/storage/store-moved.test.ts' }],
  },
  {
    name: 'answers though its file was moved away',
    file: 'src/storage/sqlite/worker.ts',
    edits: [["db.run('COMMIT')\n    assertInPlace(db, 'glance')", "db.run('COMMIT')"]],
    catchers: [{ test: 'test/storage/store-moved.test.ts' }],
  },
  {
    name: 'takes every webhook for a new one',
    file: 'src/storage/memory/inbox.ts',
    edits: [
      [
        'if (until !== undefined && until > arrival.receivedAt && isBelievable) {',
        'if (until === undefined && until! > 0) {',
      ],
    ],
    catchers: [simulation, conformance],
  },
  {
    name: 'has no unique index for identities in SQLite',
    file: 'src/storage/sqlite/inbox.ts',
    edits: [
      [
        'if (!isNew(db, arrival.identity, receivedAt, arrival.rememberMs)) {',
        'if (place < 0 && !isNew(db, arrival.identity, receivedAt, arrival.rememberMs)) {',
      ],
    ],
    catchers: [conformance],
  },
  {
    name: 'makes the messageId when it sends',
    file: 'src/pipeline/translate.ts',
    edits: [['messageId: entry.messageId,', 'messageId: `$' + '{entry.messageId}-$' + '{Math.random()}`,']],
    catchers: [simulation],
  },
  {
    name: 'lets a holder that lost its lease settle',
    file: 'src/storage/memory/inbox.ts',
    edits: [['return isHeld ? kept : undefined', 'return kept']],
    catchers: [simulation, conformance],
  },
  {
    name: 'lets a holder that lost its lease settle, in SQLite',
    file: 'src/storage/sqlite/inbox.ts',
    edits: [
      [
        "'org = ? AND lane = ? AND token = ? AND holder IS ? AND lease_until IS NOT NULL'",
        "'org = ? AND lane = ? AND ? > 0 AND holder IS ?'",
      ],
    ],
    catchers: [conformance],
  },
  {
    name: 'goes on sending from memory what was erased',
    file: 'src/pipeline/lease-watch.ts',
    edits: [
      [
        'if (!(await inbox.renew(lease, before.now + leaseMs))) return false',
        'await inbox.renew(lease, before.now + leaseMs)',
      ],
    ],
    catchers: [{ test: 'src/pipeline/lease-lost.test.ts' }, { torture: 'F34' }],
  },
  {
    name: 'only marks as free what it erased from the SQLite file',
    file: 'src/storage/sqlite/database.ts',
    edits: [['secure_delete = ON', 'secure_delete = OFF']],
    catchers: [{ test: 'src/storage/sqlite/purge.test.ts' }],
  },
  {
    name: 'says that all is erased while the log has it still',
    file: 'src/storage/sqlite/purge.ts',
    edits: [["if (!truncateLog(db, waitMs)) return isErased ? 'log_held' : 'done'", 'truncateLog(db, waitMs)']],
    catchers: [{ test: 'src/storage/sqlite/purge.test.ts' }],
  },
  {
    name: 'gives a leased account to a second worker',
    file: 'src/storage/memory/inbox.ts',
    edits: [
      [
        'isReady(kept, now, farAhead) && takenUntil(kept, holder) <= now',
        'isReady(kept, now, farAhead) && takenUntil(kept, holder) <= Infinity',
      ],
    ],
    catchers: [conformance],
  },
  {
    name: 'waits for its own lease that got lost',
    file: 'src/storage/memory/inbox.ts',
    edits: [['isOf(holder, kept) ? 0 : (kept.leaseUntil ?? 0)', 'kept.leaseUntil ?? 0']],
    catchers: [conformance, { test: 'src/pipeline/worker.test.ts' }],
  },
  {
    name: 'waits for its own lease that got lost, in SQLite',
    file: 'src/storage/sqlite/inbox.ts',
    edits: [['WHEN holder = ? THEN 0 ELSE', 'WHEN holder = ? THEN lease_until ELSE']],
    catchers: [conformance],
  },
  {
    name: 'takes a lease that it works on for one that got lost',
    file: 'src/pipeline/worker.ts',
    edits: [['busy: [...busy]', 'busy: []']],
    catchers: [{ test: 'src/pipeline/worker.test.ts', only: 'a second time' }],
  },
  {
    name: 'blames an entry for what the store did',
    file: 'src/pipeline/worker.ts',
    edits: [['if (storeFaults.includes(code)) return rest()', '']],
    catchers: [{ test: 'src/pipeline/worker.test.ts', only: 'counts no crash' }],
  },
  {
    name: 'waits for what a clock has written that has been set back since',
    file: 'src/pipeline/worker.ts',
    edits: [['const farAhead = sweep !== undefined', 'const farAhead = false']],
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'nothing has come for days' }],
  },
  {
    name: 'does not notice that the clock is set back',
    file: 'src/operations/clock-steps.ts',
    edits: [['if (byMs < 0) unappliedMs -= byMs', '']],
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'Segment: the clock is set back by five minutes' }],
  },
  {
    name: 'deletes by a clock that has just leapt ahead',
    file: 'src/operations/clock-steps.ts',
    edits: [['return clock.monotonic() >= mistrustUntil', 'return mistrustUntil < 0 || true']],
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'a year ahead' }],
  },
  {
    name: 'judges a lease by the wall clock alone',
    file: 'src/storage/sqlite/inbox.ts',
    edits: [
      [
        'UPDATE lanes SET lease_until = ? WHERE $' + '{heldLease}',
        'UPDATE lanes SET lease_until = ? WHERE org = ? AND lane = ? AND ? > 0 AND holder IS ? AND lease_until IS NOT NULL',
      ],
    ],
    catchers: [conformance],
  },
  {
    name: 'takes a timeout for a success',
    file: 'src/segment/verdict.ts',
    edits: [
      [
        "if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }",
        "if (answer.failure !== undefined) return { is: 'done' }",
      ],
    ],
    catchers: [simulation],
  },
  {
    name: 'takes a redirect for a success',
    file: 'src/segment/verdict.ts',
    edits: [["status < 400) return { is: 'held', reason: 'segment_redirect' }", "status < 400) return { is: 'done' }"]],
    catchers: [simulation],
  },
  {
    name: 'takes success:false for a success',
    file: 'src/segment/verdict.ts',
    edits: [['return judgeSuccess(answer.body)', "return judgeSuccess('')"]],
    catchers: [simulation],
  },
  {
    name: 'tries a 400 again for ever',
    file: 'src/segment/verdict.ts',
    edits: [
      [
        "if (status === 400 || status === 413) return { is: 'refused'",
        "if (status === 400 || status === 413) return { is: 'later'",
      ],
    ],
    catchers: [{ test: 'src/segment/verdict.test.ts' }],
  },
  {
    name: 'drops the whole batch on a 400',
    file: 'src/pipeline/deliver.ts',
    edits: [
      [
        'else if (part.length === 1) result.dead.push({ id: part[0]!.id, reason: verdict.reason })',
        'else if (part.length > 0) result.dead.push(...part.map(({ id }) => ({ id, reason: verdict.reason })))',
      ],
    ],
    catchers: [simulation],
  },
  {
    name: 'sends the halves of a refused batch in the wrong order',
    file: 'src/pipeline/deliver.ts',
    edits: [
      [
        'parts.unshift(part.slice(0, part.length >> 1), part.slice(part.length >> 1))',
        'parts.unshift(part.slice(part.length >> 1), part.slice(0, part.length >> 1))',
      ],
    ],
    catchers: [simulation],
  },
  {
    name: 'does not count a crash before it works',
    file: 'src/storage/sqlite/inbox.ts',
    edits: [
      [
        'const crashes = Number(found.crashes) + (found.lease_until === null || found.own === 1 ? 0 : 1)',
        'const crashes = Number(found.crashes)',
      ],
    ],
    catchers: [conformance],
  },
  {
    name: 'forgets to be careful at the first innocent in line',
    file: 'src/storage/careful.ts',
    edits: [['Math.max(careful - 1, 0)', 'Math.min(careful, 0)']],
    catchers: [conformance, { test: 'src/pipeline/worker.test.ts' }],
  },
  {
    name: "sends under another account's key",
    file: 'src/pipeline/send-lane.ts',
    edits: [['const install = accounts.get(org)', 'const install = accounts.all()[0] ?? accounts.get(org)']],
    catchers: [simulation],
  },
  {
    name: 'has one contact in two requests at once',
    file: 'src/pipeline/flights.ts',
    edits: [['(whose) => busy.has(whose)', '() => false']],
    catchers: [simulation],
  },
  {
    name: 'keeps no order in an account',
    file: 'src/storage/memory/inbox.ts',
    edits: [
      [
        '.sort((one, other) => (one.dueAt ?? 0) - (other.dueAt ?? 0) || one.place - other.place)',
        '.sort((one, other) => (one.dueAt ?? 0) - (other.dueAt ?? 0) || other.place - one.place)',
      ],
    ],
    catchers: [simulation],
  },
  {
    name: 'keeps no order in an account, in SQLite',
    file: 'src/storage/sqlite/inbox.ts',
    edits: [['AND e.place > ? ORDER BY e.place LIMIT ?', 'AND e.place > ? ORDER BY e.place DESC LIMIT ?']],
    catchers: [conformance],
  },
  {
    name: 'answers 200 when the store refused',
    file: 'src/web/webhook.ts',
    edits: [
      [
        "answer(response, 503, { ok: false, error: 'unavailable' }, { 'retry-after': retryAfterSeconds })",
        "answer(response, 200, { ok: true }, { 'retry-after': retryAfterSeconds })",
      ],
    ],
    catchers: [{ test: 'test/storage/disk.test.ts' }],
  },
  {
    name: 'ignores that a commit failed',
    file: 'src/storage/sqlite/worker.ts',
    edits: [
      [
        "if (troubleOf(error) === 'fatal') stop(error)\n    return asks.map((ask) => refusal(ask, error))",
        "return asks.map((ask) => ({ id: ask.id, value: ['stored'] }))",
      ],
    ],
    catchers: [{ test: 'test/storage/disk.test.ts' }],
  },
  {
    name: 'remembers an event without id or time for a month',
    file: 'src/pipeline/receive.ts',
    edits: [
      ['rememberMs: timeless ? rememberTimelessMs : rememberMs', 'rememberMs: timeless ? rememberMs : rememberMs'],
    ],
    catchers: [{ test: 'test/webhook/bad-input-sent.test.ts' }],
  },
  {
    name: "tells two clicks apart by what they say, not by the event's id",
    file: 'src/events/button_clicked.ts',
    edits: [['distinct: (data) => data.id ?? data.createdAt,', 'distinct: () => undefined,']],
    catchers: [{ test: 'test/webhook/bad-input-sent.test.ts' }],
  },
  {
    name: 'reads a body again from its beginning at each of its keys',
    file: 'src/lib/json-survey.ts',
    edits: [['memberAt(text, at, end, wanted, members)', 'memberAt(text.slice(0, end), at, end, wanted, members)']],
    catchers: [{ test: 'src/lib/json-survey.test.ts' }],
  },
  {
    name: 'takes a number of any length',
    file: 'src/lib/json-survey.ts',
    edits: [["longest > numberCharactersMax ? 'number_too_long' : undefined", 'undefined']],
    catchers: [{ test: 'src/lib/json-survey.test.ts' }],
  },
  {
    name: "builds a stranger's body before it judges the token",
    file: 'src/drift/envelope.ts',
    edits: [['  const inBody = ', '  readText(text, surveyed)\n  const inBody = ']],
    catchers: [{ test: 'src/drift/envelope.test.ts' }],
  },
  {
    name: 'judges every participant of a list that has another shape',
    file: 'src/events/define.ts',
    edits: [['found.every(isScalar)', 'found.filter(isScalar).length === found.length']],
    catchers: [{ test: 'src/events/catalogue.test.ts' }],
  },
  {
    name: "keeps Drift's token in the stored body",
    file: 'src/drift/envelope.ts',
    edits: [
      ["!['type', 'orgId', 'data', 'token'].includes(key)", "!['type', 'orgId', 'data'].includes(key)"],
      ['const clean = tokens.blank(text)', 'const clean = text'],
    ],
    catchers: [
      { test: 'test/webhook/bad-input.test.ts' },
      { test: 'test/operate/secrets.test.ts' },
      { test: 'test/delivery/promise.test.ts' },
    ],
  },
  {
    name: 'keeps the data key of an account that has left',
    file: 'src/accounts/disconnect.ts',
    edits: [['await keyring.forget(org)', 'void keyring']],
    catchers: [{ test: 'src/accounts/disconnect.test.ts' }],
  },
  {
    name: "takes a proxy's page for Drift's word that an account has left",
    file: 'src/drift/oauth.ts',
    edits: [['if (error !== undefined && [400, 401, 404].includes', 'if ([400, 401, 404].includes']],
    catchers: [{ test: 'test/accounts/leaving.test.ts' }],
  },
  {
    name: 'takes a second uninstall for a repeat of the first',
    file: 'src/drift/envelope.ts',
    edits: [['text, identity: undefined }', 'text, identity: text }']],
    catchers: [{ test: 'test/webhook/life-cycle.test.ts' }],
  },
  {
    name: 'resumes an account while Drift is asked whether it has left',
    file: 'src/accounts/actions.ts',
    edits: [['(install) => (install.reason === leaving ? undefined : resumed(install))', 'resumed']],
    catchers: [{ test: 'test/accounts/leaving.test.ts' }],
  },
  {
    name: 'seals without saying where the bytes belong',
    file: 'src/lib/seal.ts',
    edits: [
      ['  cipher.setAAD(Buffer.from(associated))', ''],
      ['  decipher.setAAD(Buffer.from(associated))', ''],
    ],
    catchers: [{ test: 'src/lib/seal.test.ts' }],
  },
  {
    name: 'takes an OAuth state from any browser',
    file: 'src/accounts/connect-begin.ts',
    edits: [['|| !isSame(mark, markOf(browser, said)))', '|| browser === said)']],
    catchers: [{ test: 'test/accounts/install.test.ts' }, { test: 'test/console/sessions.test.ts' }],
  },
  {
    name: 'waits for whatever Retry-After says',
    file: 'src/lib/backoff.ts',
    edits: [['return Math.min(Math.max(wanted, 1_000), probeMsMax)', 'return wanted']],
    catchers: [{ test: 'src/segment/verdict.test.ts' }],
  },
  {
    name: 'never tries a troubled account again',
    file: 'src/pipeline/settle.ts',
    edits: [
      ['const probeMs = Math.min(probeMsMin * 2 ** Math.min(failures - 1, 10), probeMsMax)', 'const probeMs = 1e15'],
    ],
    catchers: [simulation],
  },
  {
    name: 'lets an outage be an end',
    file: 'src/pipeline/deliver.ts',
    edits: [
      [
        "else if (verdict.is !== 'refused') return { ...result, dead: sureDead(result), stopped: verdict }",
        "else if (verdict.is === 'held') return { ...result, dead: sureDead(result), stopped: verdict }",
      ],
    ],
    catchers: [simulation],
  },
]
