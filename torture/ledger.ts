/**
 * The one ledger of torture, simulation and mutants: what was said to the service, what it answered, and what reached
 * Segment. Every event carries a mark of its own, so that lost, invented, reordered and misdirected are counts of marks. What
 * an event of an account with two destinations is at the second one has a mark of its own too: see `markAt`.
 */

/** The mark of an event as a destination got it, by its messageId. */
export function markAt(mark: string, messageId: string): string {
  return messageId.endsWith('.2') ? second(mark) : mark
}

const second = (what: string) => `${what}@2`

/** What must become of an event once it was answered 200 and nothing is in the way any more. */
export type Expected =
  | 'delivered'
  /** Segment refuses it alone, or it is too large: dead, with its reason. */
  | 'dead'
  /** Not readable as an event: quarantined, with its reason. */
  | 'held'
  /** Answered 200 and only counted. */
  | 'ignored'
  /** Its account left, or its person was erased, before it was settled: delivered before that, or counted as expired. */
  | 'delivered or expired'

export interface Said {
  mark: string
  org: string
  contact: string
  expected: Expected
  /** Its place in the queue is that of its receipt: it names its contact, or its conversation was known before. */
  inOrder: boolean
  /** Numbers of one sequence of everything that was sent and answered. */
  firstSent: number
  firstKept?: number
  posts: number
  /** How often it was answered 200. */
  kept: number
  /** It is what goes to the account's second destination. */
  isSecond?: true
}

type Posted = Pick<Said, 'mark' | 'org' | 'contact' | 'expected' | 'inOrder' | 'isSecond'>

/** One message of one request, whatever became of the request. */
export interface Transmission {
  mark: string
  writeKey: string
  messageId: string
  /** Everything of the message: it must be the same on every attempt. */
  text: string
}

export interface Outcomes {
  received: number
  delivered: number
  waiting: number
  held: number
  dead: number
  ignored: number
  expired: number
}

export interface Audit {
  posts: number
  /** Different events, and how many of them were answered 200 at least once. */
  events: number
  accepted: number
  delivered: number
  held: number
  dead: number
  ignored: number
  expired: number
  transmissions: number
  retransmissions: number
  /** What Segment would store after it has dropped repeats of a messageId, beyond one for each event. */
  duplicates: number
  lost: string[]
  /** Not there in time, but shown by the service as waiting or held. */
  late: string[]
  invented: string[]
  misdirected: string[]
  reordered: string[]
  /** One event under two messageIds, two events under one, or another text at another attempt. */
  changed: string[]
  /** What came to a second destination otherwise than its options have it. */
  unchosen: string[]
  /** Everything that must not be, in words; empty when all invariants held. */
  broken: string[]
}

export class Ledger {
  readonly said = new Map<string, Said>()
  readonly transmissions: Transmission[] = []
  /** The marks of what Segment stored, in order; it drops what comes again under the same messageId. */
  readonly arrivals: string[] = []
  readonly unchosen: string[] = []
  /** Every key that an account has had; those of its second destination stand under a name of their own. */
  readonly keys = new Map<string, Set<string>>()
  /** What else must be found nowhere, such as the addresses that alerts go to. */
  readonly secrets = new Set<string>()
  /** Accounts with two destinations. */
  readonly #twice = new Set<string>()
  #sequence = 0
  #posts = 0

  /** The event is about to be posted; the caller passes the answer to the function that this returns. */
  post(what: Posted): (kept: boolean) => void {
    this.#posts++
    const answered = [what, ...this.#twin(what)].map((one) => this.#say(one))
    return (kept) => {
      for (const tell of answered) tell(kept)
    }
  }

  /** What is ignored is given over to none. */
  #twin(what: Posted): Posted[] {
    if (!this.#twice.has(what.org) || what.expected === 'ignored') return []
    return [{ ...what, mark: second(what.mark), contact: second(what.contact), isSecond: true }]
  }

  #say(what: Posted): (kept: boolean) => void {
    const said = this.said.get(what.mark) ?? { ...what, firstSent: ++this.#sequence, posts: 0, kept: 0 }
    this.said.set(what.mark, said)
    said.posts++
    return (kept) => {
      if (!kept) return
      said.kept++
      said.firstKept ??= ++this.#sequence
    }
  }

  isKept(mark: string): boolean {
    return (this.said.get(mark)?.kept ?? 0) > 0
  }

  /** An account leaves: what it was sent so far may be delivered or erased, and nothing else can be said. */
  left(org: string): void {
    for (const said of this.said.values())
      if (said.org === org && said.expected !== 'ignored') said.expected = 'delivered or expired'
  }

  /** A person's event was erased: it was delivered before, or counted as expired. */
  erased(mark: string): void {
    for (const said of [this.said.get(mark), this.said.get(second(mark))])
      if (said) said.expected = 'delivered or expired'
  }

  keyOf(org: string, writeKey: string): void {
    const keys = this.keys.get(org) ?? new Set()
    this.keys.set(org, keys.add(writeKey))
  }

  /** From its first event on, each goes to a second destination as well, which has this key. */
  goesTwice(org: string, writeKey: string): void {
    this.#twice.add(org)
    this.keyOf(second(org), writeKey)
  }

  isTwice(org: string): boolean {
    return this.#twice.has(org)
  }

  /** How many events are to be found dead or quarantined once nothing waits. */
  deadOrQuarantined(): number {
    return [...this.said.values()].filter(({ expected }) => expected === 'held').length
  }

  /** Kept events that should have arrived and have not. */
  missing(): Said[] {
    const arrived = new Set(this.arrivals)
    return [...this.said.values()].filter(
      ({ mark, kept, expected }) => kept > 0 && expected === 'delivered' && !arrived.has(mark),
    )
  }

  /** Judges everything; `outcomes` is the service's own account (`check`), taken when nothing waits any more. */
  audit(outcomes: Outcomes): Audit {
    const firstAt = new Map<string, number>()
    for (const [at, mark] of this.arrivals.entries()) if (!firstAt.has(mark)) firstAt.set(mark, at)
    const all = [...this.said.values()]
    const kept = all.filter((one) => one.kept > 0)
    const missing = this.missing().map(({ mark }) => mark)
    // What the service shows beside what is rightly dead or quarantined; it shows counts, so all of them are there or not.
    const isShown =
      missing.length <= outcomes.waiting + outcomes.held - kept.filter(({ expected }) => expected === 'held').length
    const [lost, late] = isShown ? [[], missing] : [missing, []]
    const invented = [...firstAt.keys()].filter((mark) => !this.said.has(mark))
    const misdirected = this.transmissions
      .filter(({ mark, writeKey }) => {
        const said = this.said.get(mark)
        return said && !this.keys.get(said.isSecond ? second(said.org) : said.org)?.has(writeKey)
      })
      .map(({ mark }) => mark)
    const reordered = outOfOrder(all, firstAt)
    const changed = this.#changed()
    const audit: Audit = {
      posts: this.#posts,
      events: all.length,
      accepted: kept.length,
      delivered: firstAt.size - invented.length,
      held: outcomes.held,
      dead: outcomes.dead,
      ignored: outcomes.ignored,
      expired: outcomes.expired,
      transmissions: this.transmissions.length,
      retransmissions: this.transmissions.length - new Set(this.transmissions.map(({ mark }) => mark)).size,
      duplicates: this.arrivals.length - firstAt.size,
      lost,
      late,
      invented,
      misdirected,
      reordered,
      changed,
      unchosen: this.unchosen,
      broken: [],
    }
    if (audit.duplicates > 0) audit.broken.push(`${audit.duplicates} duplicates after messageId`)
    for (const name of ['lost', 'late', 'invented', 'misdirected', 'reordered', 'changed', 'unchosen'] as const)
      if (audit[name].length > 0)
        audit.broken.push(`${audit[name].length} ${name}, such as ${audit[name].slice(0, 3).join(', ')}`)
    audit.broken.push(...conserved(outcomes, all, firstAt))
    return audit
  }

  #changed(): string[] {
    const first = new Map<string, Transmission>()
    const markOf = new Map<string, string>()
    const changed = new Set<string>()
    for (const one of this.transmissions) {
      const before = first.get(one.mark)
      if (!before) first.set(one.mark, one)
      else if (before.messageId !== one.messageId || before.text !== one.text) changed.add(one.mark)
      if ((markOf.get(one.messageId) ?? one.mark) !== one.mark) changed.add(one.mark)
      markOf.set(one.messageId, one.mark)
    }
    return [...changed]
  }
}

/**
 * Events of one contact that came out in another order than they were committed in. What is known of that order from
 * outside: an event answered 200 before another was first sent was committed before it.
 */
function outOfOrder(all: readonly Said[], firstAt: ReadonlyMap<string, number>): string[] {
  const lines = new Map<string, Said[]>()
  for (const said of all) {
    if (!said.inOrder || said.expected !== 'delivered' || !firstAt.has(said.mark) || said.firstKept === undefined)
      continue
    const line = `${said.org} ${said.contact}`
    lines.set(line, [...(lines.get(line) ?? []), said])
  }
  const wrong: string[] = []
  for (const line of lines.values()) {
    const byArrival = line.toSorted((one, other) => firstAt.get(one.mark)! - firstAt.get(other.mark)!)
    // Going backwards: the earliest commit of all that arrived later must not lie before this one was sent.
    let earliestKept = Number.POSITIVE_INFINITY
    for (const said of byArrival.toReversed()) {
      if (earliestKept < said.firstSent) wrong.push(said.mark)
      earliestKept = Math.min(earliestKept, said.firstKept!)
    }
  }
  return wrong
}

/** The law of conservation, and that the service's own counts are those of the world outside. */
function conserved(outcomes: Outcomes, all: readonly Said[], firstAt: ReadonlyMap<string, number>): string[] {
  const broken: string[] = []
  const { received, delivered, waiting, held, dead, ignored, expired } = outcomes
  const total = delivered + waiting + held + dead + ignored + expired
  if (received !== total) broken.push(`received ${received} is not ${total}, the sum of what became of it`)
  // An event that was never answered 200 may be there or not; what is ignored is counted each time.
  const known = all.filter(({ kept }) => kept > 0)
  const unknown = all.filter(({ kept }) => kept === 0)
  const unsure =
    unknown.length +
    known.filter(({ expected }) => expected === 'delivered or expired').length +
    known.reduce((sum, one) => sum + (one.expected === 'ignored' ? one.posts - one.kept : 0), 0)
  const counted = (expected: Expected) => known.filter((one) => one.expected === expected)
  // What arrived while it was erased was delivered, or counted as expired when the answer came too late.
  const eitherWay = new Set(counted('delivered or expired').map(({ mark }) => mark))
  const arrivedEitherWay = [...firstAt.keys()].filter((mark) => eitherWay.has(mark)).length
  const least = {
    received: known.filter((one) => one.expected !== 'ignored').length + posted(counted('ignored')),
    delivered: firstAt.size - arrivedEitherWay,
    dead: counted('dead').length,
    held: counted('held').length,
    ignored: posted(counted('ignored')),
  }
  for (const [name, count] of Object.entries(least) as [keyof typeof least, number][]) {
    const spare = name === 'delivered' ? arrivedEitherWay : unsure
    if (outcomes[name] < count || outcomes[name] > count + spare)
      broken.push(
        `${name}: the service counts ${outcomes[name]}, and ${count}${spare > 0 ? ` to ${count + spare}` : ''} is right`,
      )
  }
  return broken
}

function posted(said: readonly Said[]): number {
  return said.reduce((sum, { kept }) => sum + kept, 0)
}
