// biome-ignore-all lint/style/noExcessiveLinesPerFile: one list, a few lines for each.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it quotes source text.
/**
 * Services that break the promise on purpose, each by one statement of the source that becomes another in a copy. The
 * suite must catch every one. A comment in the source, `// mutant: NAME`, marks the statement below it.
 */
import type { Catcher, Mutant } from './mutant.ts'

const simulation: Catcher = { simulate: 30 }
const conformance: Catcher = { test: 'src/storage/conformance.test.ts' }
const model: Catcher = { test: 'test/storage/store-model.test.ts' }

export const mutants: readonly Mutant[] = [
  {
    name: 'answers before the commit',
    becomes: `const outcome = (arrival.state === 'ignored' ? 'ignored' : 'stored') as 'stored' | 'duplicate' | 'ignored'
const woke: { org: string }[] = []
keep(arrival).catch(() => {})`,
    catchers: [simulation],
  },
  {
    name: 'keeps a queue in memory behind the 200',
    becomes: `return async (arriving) => {
  groups.add(arriving).catch(() => {})
  return { outcome: arriving.state === 'ignored' ? 'ignored' : 'stored', woke: [] }
}`,
    catchers: [simulation],
  },
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
    becomes: 'isKnown ||= isErased(db, { ...arrival, person: null })',
    catchers: [conformance],
  },
  {
    name: 'forgets that a person was erased',
    becomes: 'if (!dryRun) await inbox.markErased(org, [])',
    catchers: [{ test: 'src/operations/history/interleavings.test.ts' }],
  },
  {
    name: 'asks Drift on although another process does',
    becomes: 'function isLate(): boolean { return false }',
    catchers: [{ test: 'src/operations/history/job.test.ts', only: 'that stood still' }],
  },
  {
    name: 'asks at once, though another process may have just asked',
    becomes: 'let lastAt = Number.NEGATIVE_INFINITY',
    catchers: [{ test: 'src/lib/pace.test.ts', only: 'the first one too' }],
  },
  {
    name: 'forgets, when it goes on for another process, that Drift wanted fewer requests',
    becomes: 'const requests = openPace({ clock, limits: requestLimits, signal })',
    catchers: [{ test: 'src/operations/history/ends.test.ts', only: 'as slowly as Drift wanted' }],
  },
  {
    name: 'lets two runs of one account ask Drift at once',
    becomes:
      'const made = await addJob<HistoryInput>(needs, { id, kind, org, who, input, only: `history ${org} ${kind}` })',
    catchers: [{ test: 'src/operations/history/reconcile.test.ts', only: 'one backfill or comparison' }],
  },
  {
    name: 'keeps what it has read at Drift without a natural key',
    becomes: '',
    catchers: [{ test: 'src/operations/history/job.test.ts', only: 'passes over what webhooks have brought' }],
  },
  {
    name: 'does not say whose it is what it has read at Drift',
    becomes: '',
    catchers: [{ test: 'src/operations/history/ends.test.ts', only: 'erased while' }],
  },
  {
    name: 'makes the messageId when it sends',
    becomes: 'messageId: `${entry.messageId}-${Math.random()}`,',
    catchers: [simulation],
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
    name: 'lets what waits for a partner keep others from their turn',
    becomes: '',
    catchers: [{ test: 'src/pipeline/worker-room.test.ts', only: 'begins to wait for a partner' }],
  },
  {
    name: 'begins the next group at once',
    becomes: 'if (ms > 0) await Promise.resolve()',
    catchers: [{ test: 'src/lib/groups.test.ts', only: 'as long as it took' }],
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
    name: 'tells a lease under way only of what its lane slept before',
    becomes: 'if (isReady) for (const each of own) each.wake(false)',
    catchers: [{ test: 'src/pipeline/turns.test.ts' }],
  },
  {
    name: 'wakes for no account whose lane slept',
    becomes: 'if (org === undefined) due()',
    catchers: [{ test: 'src/pipeline/turns.test.ts' }],
  },
  {
    name: 'lets a later event overtake one whose commit came late',
    becomes: 'const known = undefined as number[] | undefined',
    catchers: [{ test: 'src/storage/postgres/adding.test.ts', only: 'give a lease that goes on' }],
  },
  {
    name: 'goes on sending from memory what was erased',
    becomes: 'await inbox.renew(lease, before.now + leaseMs)',
    catchers: [{ test: 'src/pipeline/lease-lost.test.ts' }, { torture: 'F34' }],
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
    name: 'takes a lease that it works on for one that got lost',
    becomes: 'return { id: holder, busy: [] }',
    catchers: [{ test: 'src/pipeline/worker.test.ts', only: 'a second time' }],
  },
  {
    name: 'blames an entry for what the store did',
    becomes: '',
    catchers: [{ test: 'src/pipeline/worker.test.ts', only: 'counts no crash' }],
  },
  {
    name: 'leaves what nothing holds any more to the next start',
    becomes: '',
    catchers: [{ test: 'test/delivery/holds.test.ts', only: 'without a resume' }],
  },
  {
    name: 'waits for what a clock has written that has been set back since',
    becomes: 'const farAhead = false',
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'nothing has come for days' }],
  },
  {
    name: 'does not notice that the clock is set back',
    becomes: '',
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'the clock is set back by' }],
  },
  {
    name: 'deletes by a clock that has just leapt ahead',
    becomes: 'return true',
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'a year ahead' }],
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
    name: 'takes a timeout for a success',
    becomes: "if (answer.failure !== undefined) return { is: 'done' }",
    catchers: [simulation],
  },
  {
    name: 'takes a redirect for a success',
    becomes: "if (status >= 300 && status < 400) return { is: 'done' }",
    catchers: [simulation],
  },
  {
    name: 'takes success:false for a success',
    becomes: "if (status >= 200 && status < 300) return { is: 'done' }",
    catchers: [simulation],
  },
  {
    name: 'tries a 400 again for ever',
    becomes: "if (status === 400 || status === 413) return { is: 'later', reason: `segment_${status}` }",
    catchers: [{ test: 'src/segment/verdict.test.ts' }],
  },
  {
    name: 'drops the whole batch on a 400',
    becomes: 'else if (part.length > 0) result.dead.push(...part.map(({ id }) => ({ id, reason: verdict.reason })))',
    catchers: [simulation],
  },
  {
    name: 'sends the halves of a refused batch in the wrong order',
    becomes: 'else parts.unshift(part.slice(part.length >> 1), part.slice(0, part.length >> 1))',
    catchers: [simulation],
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
    name: "sends under another account's key",
    becomes: 'const install = accounts.all()[0] ?? accounts.get(lease.org)',
    catchers: [simulation],
  },
  {
    name: 'has one contact in two requests at once',
    becomes: 'const { run, rest, isFull } = fill(waiting, room, () => false)',
    catchers: [{ test: 'src/pipeline/flights.test.ts' }, simulation],
  },
  {
    name: 'lets events die of what the account is refused for',
    becomes: 'if (doubted.length > 1) return { delivered: [], dead: result.dead }',
    catchers: [{ test: 'src/pipeline/beside.test.ts', only: 'every event is refused' }],
  },
  {
    name: 'starts a request for every event',
    becomes: 'if (inMs >= 0) return true',
    catchers: [{ test: 'src/pipeline/flights.test.ts' }],
  },
  {
    name: 'never reads again what was committed behind it',
    becomes: 'const fromBeginning = isBefore',
    catchers: [{ test: 'src/pipeline/hand.test.ts', only: 'what was committed behind it' }],
  },
  {
    name: 'lets leases that never end keep all others from their turn',
    becomes: 'const othersMayWait = stopped || isAlone',
    catchers: [{ test: 'src/pipeline/turns.test.ts', only: 'beside some that never stop' }],
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
    becomes: 'const meant = destination === 0 ? meantFor(db, org, Number.MAX_SAFE_INTEGER) : [destination]',
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
    name: 'quotes what the request had in what is kept of an answer',
    becomes: 'const blanked = head',
    catchers: [{ test: 'src/pipeline/excerpt.test.ts' }],
  },
  {
    name: 'keeps how far a redrive is after what it moved, and not with it',
    becomes: `const moved = await inbox.redrive(moves, now, lease.job.who)
const job = 'held' as const`,
    catchers: [{ test: 'src/operations/redrive-job.test.ts' }],
  },
  {
    name: 'leaves a job that looks for a person who is erased',
    becomes: '',
    catchers: [{ test: 'src/operations/redrive-job.test.ts' }],
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
    name: 'answers 200 when the store refused',
    becomes: "answer(response, 200, { ok: true }, { 'retry-after': retryAfterSeconds })",
    catchers: [{ test: 'test/storage/disk.test.ts' }],
  },
  {
    name: 'ignores that a commit failed',
    becomes: "return asks.map((ask) => ({ id: ask.id, value: ['stored'] }))",
    catchers: [{ test: 'test/storage/disk.test.ts' }],
  },
  {
    name: 'remembers an event without id or time for a month',
    becomes: 'rememberMs,',
    catchers: [{ test: 'test/webhook/bad-input-sent.test.ts' }],
  },
  {
    name: "tells two clicks apart by what they say, not by the event's id",
    becomes: 'distinct: () => undefined,',
    catchers: [{ test: 'test/webhook/bad-input-sent.test.ts' }],
  },
  {
    name: 'reads a body again from its beginning at each of its keys',
    becomes: 'if (open.length === 1) awaited = memberAt(text.slice(0, end), at, end, wanted, members)',
    catchers: [{ test: 'src/lib/json-survey.test.ts' }],
  },
  {
    name: 'takes a number of any length',
    becomes: 'return found(undefined)',
    catchers: [{ test: 'src/lib/json-survey.test.ts' }],
  },
  {
    name: "builds a stranger's body before it judges the token",
    becomes: `readText(text, surveyed)
if (header === 'missing' && inBody !== 'right') return wrong`,
    catchers: [{ test: 'src/drift/envelope.test.ts' }],
  },
  {
    name: 'judges every participant of a list that has another shape',
    becomes: '.custom<Scalar[]>((found) => Array.isArray(found) && found.filter(isScalar).length === found.length)',
    catchers: [{ test: 'src/events/catalogue.test.ts' }],
  },
  {
    name: "keeps Drift's token in the stored body",
    becomes: 'const clean = text.replace(/}$/, `,"token":${JSON.stringify(String(body.token))}}`)',
    catchers: [
      { test: 'test/webhook/bad-input.test.ts' },
      { test: 'test/operate/secrets.test.ts' },
      { test: 'test/delivery/promise.test.ts' },
    ],
  },
  {
    name: 'keeps the data key of an account that has left',
    becomes: 'forgets: async () => [],',
    catchers: [{ test: 'src/accounts/disconnect.test.ts' }],
  },
  {
    name: 'erases what has come since the account was connected again',
    becomes: '',
    catchers: [conformance],
  },
  {
    name: 'drops what comes for an account that another process has connected again',
    becomes: '',
    catchers: [{ test: 'src/accounts/disconnect.test.ts' }],
  },
  {
    name: 'resends to a destination what another event has given it',
    becomes: 'return true',
    catchers: [conformance],
  },
  {
    name: 'gives an event that was quarantined to a destination that has had its natural key by another',
    becomes: 'const free = [...meant, ...claimOnce(db, { ...move, org: to }, meant)]',
    catchers: [model, conformance],
  },
  {
    name: 'takes what was only sent again for what a sender has had',
    becomes:
      'const isTried = wasTried(history as Uint8Array | null, destination) || (history as Uint8Array | null)?.length! > 0',
    catchers: [conformance],
  },
  {
    name: 'lets an account that connects again find what was left of it',
    becomes: '',
    catchers: [{ test: 'src/accounts/disconnect.test.ts' }],
  },
  {
    name: 'keeps the addresses that alerts of an account went to that has left',
    becomes: '',
    catchers: [{ test: 'src/accounts/disconnect.test.ts', only: 'truly' }],
  },
  {
    name: 'erases an account with its last alert unsent when the service stops',
    becomes: 'if (closing.aborted) break',
    catchers: [{ test: 'test/alerts/real-receivers.test.ts', only: 'before a recipient' }],
  },
  {
    name: 'raises the same thing again within the hour',
    becomes: 'const isDue = now - since >= (finding.afterMs ?? 0)',
    catchers: [{ test: 'src/alerts/machine.test.ts' }],
  },
  {
    name: 'announces as recovered an account that a person has only paused or resumed',
    becomes: 'return undefined',
    catchers: [{ test: 'src/alerts/rules.test.ts' }],
  },
  {
    name: 'sends an alert once, accepted or not',
    becomes: "return ended('failed')",
    catchers: [{ test: 'test/alerts/sending.test.ts', only: 'is sent again under its id until it is' }],
  },
  {
    name: 'sends alerts to an address whose owner has not confirmed it',
    becomes: '',
    catchers: [{ test: 'test/alerts/recipients.test.ts', only: 'until its owner has confirmed it' }],
  },
  {
    name: 'keeps an address for good that was never confirmed',
    becomes: 'if (at > 0) continue',
    catchers: [{ test: 'test/alerts/recipients.test.ts', only: 'that was not confirmed within seven days' }],
  },
  {
    name: 'connects to a name that has one public address among others',
    becomes: 'if (!addresses.some(isPublicAddress)) return refused',
    catchers: [
      { test: 'src/lib/public-request.test.ts', only: 'that leads elsewhere than to the public internet alone' },
    ],
  },
  {
    name: "takes a proxy's page for Drift's word that an account has left",
    becomes: "if ([400, 401, 404].includes(answer.status)) return { is: 'invalid' }",
    catchers: [{ test: 'test/accounts/leaving.test.ts' }],
  },
  {
    name: 'takes a second uninstall for a repeat of the first',
    becomes: 'return { type, orgId, data: isObject(body?.data) ? body.data : {}, text, identity: text }',
    catchers: [{ test: 'test/webhook/life-cycle.test.ts' }],
  },
  {
    name: 'resumes an account while Drift is asked whether it has left',
    becomes: "endedBy: ['resume', 'drift_answer', 'connect', 'new_grant'],",
    catchers: [{ test: 'test/accounts/leaving.test.ts' }],
  },
  {
    name: 'forgets at a pause that Drift is asked whether the account has left',
    becomes: 'const known = withoutReason(install)',
    catchers: [{ test: 'test/accounts/states.test.ts', only: 'an account is told' }],
  },
  {
    name: 'holds an account for good that is refused, and is listed again',
    becomes: `return { ...sendLane(install.org, number), is: isResumed ? 'resumed' : { held: hold ?? 'not_allowed' } }`,
    catchers: [{ test: 'test/accounts/states.test.ts', only: 'an account is told' }],
  },
  {
    name: 'sends to an endpoint that the settings do not list any more',
    becomes: 'return undefined',
    catchers: [{ test: 'test/accounts/destinations.test.ts' }],
  },
  {
    name: 'gives two destinations one messageId',
    becomes: 'const there = messageId',
    catchers: [{ test: 'src/segment/message-id.test.ts' }],
  },
  {
    name: 'sends to every destination as new what was to be new for one',
    becomes:
      'const { [destination]: before = {} } = choicesIn(resent), others: Record<string, Choice> = { 1: { sending: 1 } }',
    catchers: [conformance],
  },
  {
    name: 'seals without saying where the bytes belong',
    becomes: 'return Buffer.alloc(0)',
    catchers: [{ test: 'src/lib/seal.test.ts' }],
  },
  {
    name: 'takes an OAuth state from any browser',
    becomes: "if (!said || !nonce || !began || !mark || browser === said) return { is: 'foreign' }",
    catchers: [{ test: 'test/accounts/install.test.ts' }, { test: 'test/console/sessions.test.ts' }],
  },
  {
    name: 'waits for whatever Retry-After says',
    becomes: 'return wanted',
    catchers: [{ test: 'src/segment/verdict.test.ts' }],
  },
  {
    name: 'never tries a blocked account again',
    becomes: 'const probeMs = 1e15',
    // A wait that no clock of ours can have written is put right, so the simulation goes on.
    catchers: [{ test: 'src/pipeline/settle.test.ts' }],
  },
  {
    name: 'lets an outage be an end',
    becomes: "else if (verdict.is === 'held') return { ...result, dead: sureDead(result), stopped: verdict }",
    catchers: [simulation],
  },
  {
    name: 'sends again what must fail again',
    becomes: `const read = (
  isTried || true ? { is: 'usable', org: shown.org, type: shown.type } : await tryAgain(needs, shown, { byToday, isToday })
) as Awaited<ReturnType<typeof tryAgain>>`,
    catchers: [{ test: 'test/operate/operate.test.ts', only: 'would fail again' }],
  },
  {
    name: 'lets an event die of the one that goes with it',
    becomes: "else if (verdict.is === 'refused' && part.length < 0) {\n}",
    catchers: [{ test: 'test/delivery/options.test.ts', only: 'let Segment refuse the Live Chat event alone' }],
  },
  {
    name: 'lets an event die of what an option adds',
    becomes: 'const next = undefined as (typeof steps)[number] | undefined',
    catchers: [{ test: 'src/mapping/apply.test.ts', only: 'is sent without the first of them' }],
  },
  {
    name: 'sends an update of which nothing is left',
    becomes: '',
    catchers: [{ test: 'src/mapping/only.test.ts', only: 'an update of none of the listed attributes' }],
  },
  {
    name: 'says in the userId what it hashes in the traits',
    becomes: 'const isOwn = false && from !== undefined',
    catchers: [{ test: 'src/mapping/hash.test.ts', only: 'a userId that was taken from a hashed attribute' }],
  },
  {
    name: 'takes a text that stands for no person for an id',
    becomes: 'return isPrintable ? id : undefined',
    catchers: [{ test: 'src/mapping/identity.test.ts', only: 'a text that stands for no person' }],
  },
  {
    name: 'waits for an outage without end',
    becomes: 'return givesUpInMs(item) < 0 ? { attributes: {} } : undefined',
    catchers: [{ test: 'test/delivery/contacts.test.ts', only: 'go without after ten minutes of an outage' }],
  },
  {
    name: 'sends an event before what it is made of is written down',
    becomes: '',
    catchers: [{ test: 'test/delivery/contacts.test.ts', only: 'are as they were on every attempt' }],
  },
  {
    name: 'asks for each event of a contact',
    becomes: '',
    catchers: [{ test: 'src/pipeline/contacts.test.ts', only: 'are asked for once however many wait' }],
  },
  {
    name: 'changes what a sender has in hand',
    becomes: '',
    catchers: [conformance],
  },
  {
    name: 'lets an event pass one of its contact that waits',
    becomes: 'const line = isNeeding(item) ? lines.get(item.whose) : undefined',
    catchers: [{ test: 'test/delivery/contacts.test.ts', only: 'keep those behind them waiting' }],
  },
]
