/**
 * From the bytes of a webhook to an envelope: whose token it carries, and what it says. Pure: nothing is stored here.
 *
 * Drift signs nothing. One token per app travels in `X-Verification-Token`, in the body's `token`, or in both (facts
 * from devdocs.drift.com/docs/webhook-events-1), so it is taken out before anything else sees the body.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import {
  canonical,
  canonicalMembers,
  isExactNumber,
  isObject,
  type Json,
  type JsonObject,
  type Reading,
  readChecked,
  readText,
  textOf,
} from '../lib/json.ts'
import { type Survey, survey } from '../lib/json-survey.ts'
import { isOrgId } from './org.ts'

/** An account uninstalls the app: handled, not sent. */
export const disconnectType = 'app_disconnected'

/** A person wants their data deleted: kept and shown until a person has handled it. */
export const deletionType = 'gdpr_delete_requested'

/**
 * Drift documents of these two only their envelope, and both must be acted on: type and orgId are enough, whatever `data`
 * is, and neither is ever a repeat, since an account may leave twice and two people may want the same.
 */
export function isLifeCycle(type: string): boolean {
  return type === disconnectType || type === deletionType
}

export interface Envelope {
  type: string
  /** Digits. */
  orgId: string
  /** Empty where a life-cycle event has another. */
  data: JsonObject
  /** The whole envelope without its token: what is kept. */
  text: string
  /** Equal for the same event, however it is spelled; undefined for life-cycle events: each is one of its own. */
  identity: string | undefined
}

/** `unreadable` bodies are kept with the reason; what can be said of them is. */
export type Opened =
  | { as: 'envelope'; envelope: Envelope }
  | {
      as: 'unreadable'
      reason: string
      orgId: string
      type: string
      text: Buffer | string
      identity: Uint8Array | string
    }

/** The type of a body that says none. */
export const unreadableType = 'unreadable'

export type TokenVerdict = 'right' | 'wrong' | 'missing'

/** What the header said: `token` is what it carried, where that was one token. */
export interface HeaderToken {
  verdict: TokenVerdict
  token?: string
}

export interface Tokens {
  judge(presented: string): 'right' | 'wrong'
  /** The same text with every accepted token blanked, in any of JSON's spellings; numbered, no two blanks are equal. */
  blank(text: string, blanks?: 'equal' | 'numbered'): string
}

export function tokensOf(accepted: readonly string[]): Tokens {
  const digests = accepted.map(digest)
  const spellings = new RegExp(accepted.map(anySpelling).join('|'), 'gi')
  return {
    judge(presented) {
      const found = digest(presented)
      // Every digest is compared, so that the time taken tells nothing.
      return digests.filter((known) => timingSafeEqual(known, found)).length > 0 ? 'right' : 'wrong'
    },
    blank(text, blanks = 'equal') {
      let many = 0
      return text.replace(spellings, () => (blanks === 'equal' ? '[token]' : `[token ${++many}]`))
    },
  }
}

/**
 * Judges the token in a body, then reads the body. `right` needs the header's verdict and the body's to agree. Of a body
 * that has neither, nothing is built: who sends it is a stranger.
 */
export function openEnvelope(
  bytes: Buffer,
  tokens: Tokens,
  { verdict: header, token: inHeader }: HeaderToken,
): { token: 'right'; opened: Opened } | { token: 'wrong' } {
  const wrong = { token: 'wrong' } as const
  const right = (opened: Opened) => ({ token: 'right', opened }) as const
  /** What looks like a token in a body that is not JSON does not count: only the header's does. */
  const notJson = (reason: string) =>
    header === 'right' ? right(unreadable(bytes, reason, () => undefined, tokens)) : wrong
  if (header === 'wrong') return wrong
  /** The sender of two equal ones learns nothing from their being compared as they are. */
  const judgeToken = (token: Json | undefined): TokenVerdict =>
    typeof token !== 'string' ? 'wrong' : token === inHeader ? header : tokens.judge(token)
  const text = textOf(bytes)
  if (text === undefined) return notJson('invalid_utf8')
  const surveyed = survey(text, ['token', 'type', 'orgId'])
  const said = (name: string) => saidOnce(text, surveyed, name)
  const inBody = surveyed.members.has('token') ? judgeToken(said('token')) : 'missing'
  // mutant: builds a stranger's body before it judges the token
  if (header === 'missing' && inBody !== 'right') return wrong
  const reading = readText(text, surveyed)
  if (!reading.ok && reading.problem === 'invalid_json') return notJson('invalid_json')
  if (inBody === 'wrong') return wrong
  const lifeCycle = lifeCycleOf(text, reading, said, tokens)
  if (lifeCycle) return right({ as: 'envelope', envelope: lifeCycle })
  if (!reading.ok) return right(unreadable(bytes, reading.problem, said, tokens))
  const reason = isObject(reading.value) ? shapeProblem(reading.value) : 'not_an_object'
  if (reason) return right(unreadable(bytes, reason, said, tokens))
  const envelope = envelopeOf(reading.value as JsonObject, tokens)
  return right(envelope ? { as: 'envelope', envelope } : unreadable(bytes, 'duplicate_key', said, tokens))
}

/** A body that could not be read at all, such as a compressed one: kept as it came. */
export function unread(bytes: Buffer, reason: string): Opened {
  return { as: 'unreadable', reason, orgId: '', type: unreadableType, text: bytes, identity: bytes }
}

type Kept = Pick<Envelope, 'type' | 'orgId' | 'data'>

/** What was kept of a webhook, read again; undefined of one that is not an envelope. */
export function reopen(text: string): Kept | undefined {
  const reading = readText(text)
  return reading.ok ? keptOf(reading.value) : undefined
}

/** The same of what is known to be an envelope's text, and comes from where nothing else can have written: quicker. */
export function reopenChecked(text: string): Kept | undefined {
  return keptOf(readChecked(text))
}

function keptOf(value: Json | undefined): Kept | undefined {
  if (!isObject(value) || shapeProblem(value)) return undefined
  const { type, orgId, data } = value
  return { type: type as string, orgId: orgIdOf(orgId)!, data: data as JsonObject }
}

/** What a member of the outermost object says, known before that object is built or where it is too much to be. */
type Said = (name: string) => Json | undefined

/** The string or number of a member that stands there once. */
function saidOnce(text: string, { members }: Survey, name: string): Json | undefined {
  const { times, value } = members.get(name) ?? {}
  const reading = times === 1 && value ? readText(text.slice(value.from, value.to)) : undefined
  return reading?.ok ? reading.value : undefined
}

/** Also of a body whose `data` is too much to be read; not when its type or its account stands there twice. */
function lifeCycleOf(whole: string, reading: Reading, said: Said, tokens: Tokens): Envelope | undefined {
  const body = reading.ok && isObject(reading.value) ? reading.value : undefined
  const type = body ? body.type : said('type')
  if (typeof type !== 'string' || !isLifeCycle(type)) return undefined
  const orgId = orgIdOf(body ? body.orgId : said('orgId'))
  if (orgId === undefined) return undefined
  const { token: _, ...others } = body ?? {}
  const text = tokens.blank(body ? canonical(others) : whole)
  // mutant: takes a second uninstall for a repeat of the first
  return { type, orgId, data: isObject(body?.data) ? body.data : {}, text, identity: undefined }
}

/** Undefined where blanking the tokens inside the data makes two of its keys equal. */
function envelopeOf(body: JsonObject, tokens: Tokens): Envelope | undefined {
  const orgId = orgIdOf(body.orgId)!
  const { type, data } = body as { type: string; data: JsonObject }
  const said = canonical(data)
  const identity = `${orgId} ${type} ${said}`
  const others = Object.keys(body).filter((key) => !['type', 'orgId', 'data', 'token'].includes(key))
  const more = canonicalMembers(body, others)
  const text = `{"type":"${type}","orgId":"${orgId}","data":${said}${more && `,${more}`}}`
  // mutant: keeps Drift's token in the stored body
  const clean = tokens.blank(text)
  if (clean === text) return { type, orgId, data, text, identity }
  // A token inside the data is as secret. Blanked text is still JSON; numbers keep apart keys that were two tokens.
  for (const blanked of [clean, tokens.blank(text, 'numbered')]) {
    const kept = reopen(blanked)
    if (kept) return { type, orgId, data: kept.data, text: blanked, identity }
  }
  return undefined
}

function shapeProblem(body: JsonObject): string | undefined {
  if (!isType(body.type)) return 'type_unusable'
  if (orgIdOf(body.orgId) === undefined) return 'org_unusable'
  if (!isObject(body.data)) return 'data_unusable'
  const inside = Object.hasOwn(body.data, 'orgId') ? body.data.orgId : undefined
  // Drift writes 0 where it names no account.
  const namesOne = inside !== undefined && inside !== null && inside !== 0 && inside !== '0'
  if (namesOne && orgIdOf(inside) !== orgIdOf(body.orgId)) return 'org_contradicts'
  return undefined
}

function isType(found: Json | undefined): found is string {
  return typeof found === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/.test(found)
}

/** Drift's number of an account, in digits: a positive whole number or a string of it (at most 19: Drift's ids are int64). */
export function orgIdOf(found: Json | undefined): string | undefined {
  const digits = isExactNumber(found) ? found.rawJSON : typeof found === 'number' ? String(found) : found
  return typeof digits === 'string' && isOrgId(digits) ? digits : undefined
}

function unreadable(bytes: Buffer, reason: string, said: Said, tokens: Tokens): Opened {
  const type = said('type')
  // Which of two contradicting accounts is meant is not ours to pick.
  const orgId = (reason !== 'org_contradicts' && orgIdOf(said('orgId'))) || ''
  // Latin-1 gives every byte back as it was.
  const text = Buffer.from(tokens.blank(bytes.toString('latin1')), 'latin1')
  return { as: 'unreadable', reason, orgId, type: isType(type) ? type : unreadableType, text, identity: text }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/**
 * Matches the token with each character plain, after a backslash, or as \uXXXX, with NULs between as UTF-16 and UTF-32
 * have them.
 */
function anySpelling(token: string): string {
  return [...token]
    .map((character) => {
      const hex = character.charCodeAt(0).toString(16).padStart(4, '0')
      return `(?:\\\\?${RegExp.escape(character)}|\\\\u${hex})`
    })
    .join('\\0*')
}
