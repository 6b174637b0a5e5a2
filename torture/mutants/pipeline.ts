// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it quotes source text.
/** Mutants on the way of one webhook, from src/web/webhook.ts to the answer of Segment, and of what that way stands on. */
import type { Catcher, Mutant } from './mutant.ts'

const simulation: Catcher = { simulate: 30 }

export const pipelineMutants: readonly Mutant[] = [
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
    name: 'lets an event that is never sent stand for the one that could be',
    becomes: 'const isUsable = key !== undefined',
    catchers: [{ test: 'src/pipeline/receive.test.ts', only: 'does not stand for' }],
  },
  {
    name: 'answers 200 when the store refused',
    becomes: "answer(response, 200, { ok: true }, { 'retry-after': retryAfterSeconds })",
    catchers: [{ test: 'test/storage/disk.test.ts' }],
  },
  {
    name: 'asks at once, though another process may have just asked',
    becomes: 'let lastAt = Number.NEGATIVE_INFINITY',
    catchers: [{ test: 'src/lib/pace.test.ts', only: 'the first one too' }],
  },
  {
    name: 'makes the messageId when it sends',
    becomes: 'messageId: `${entry.messageId}-${Math.random()}`,',
    catchers: [simulation],
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
    name: 'goes on sending from memory what was erased',
    becomes: 'await inbox.renew(lease, before.now + leaseMs)',
    catchers: [{ test: 'src/pipeline/lease-lost.test.ts' }, { torture: 'F34' }],
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
    name: 'waits for what a clock has written that has been set back since',
    becomes: 'const farAhead = false',
    catchers: [{ test: 'test/delivery/clock-steps.test.ts', only: 'nothing has come for days' }],
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
    name: 'quotes what the request had in what is kept of an answer',
    becomes: 'const blanked = head',
    catchers: [{ test: 'src/pipeline/excerpt.test.ts' }],
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
    name: 'drops what comes for an account that another process has connected again',
    becomes: '',
    catchers: [{ test: 'src/accounts/disconnect.test.ts' }],
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
    name: 'gives two destinations one messageId',
    becomes: 'const there = messageId',
    catchers: [{ test: 'src/segment/message-id.test.ts' }],
  },
  {
    name: 'seals without saying where the bytes belong',
    becomes: 'return Buffer.alloc(0)',
    catchers: [{ test: 'src/lib/seal.test.ts' }],
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
    name: 'lets an event pass one of its contact that waits',
    becomes: 'const line = isNeeding(item) ? lines.get(item.whose) : undefined',
    catchers: [{ test: 'test/delivery/contacts.test.ts', only: 'keep those behind them waiting' }],
  },
]
