/**
 * What Segment's answer to a batch means. The whole judgement is this table; nothing else reads a status. What then becomes
 * of a refused batch is in src/pipeline/deliver.ts: it is sent again in halves, in order, until the bad message stands alone,
 * and that is dead; where each message is refused none is dead, and the account needs attention.
 */
import { retryAfterMs } from '../lib/backoff.ts'
import { isObject, readText } from '../lib/json.ts'
import { type Answered, unmakeable } from '../lib/request.ts'

export type Verdict =
  | { is: 'done' }
  /** An outage, or a limit: the same batch again, later. */
  | { is: 'later'; reason: string; afterMs?: number }
  /** Something in this batch is not liked: alone it would be dead, among others it must be found. */
  | { is: 'refused'; reason: string }
  /** The account is blocked, whatever is sent: its key, its region, its rights. */
  | { is: 'held'; reason: Refusal }

/** What is wrong with an account; src/accounts/needs-attention.ts explains each. */
export type Refusal =
  | 'segment_request_invalid'
  | 'segment_redirect'
  | 'segment_401'
  | 'segment_403'
  | 'segment_404'
  | 'write_key_refused'
  | 'segment_success_false'
  | 'not_segment'

export function judge(answer: Answered, nowMs: number): Verdict {
  if (answer.failure === unmakeable) return { is: 'held', reason: 'segment_request_invalid' }
  // mutant: takes a timeout for a success
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  const { status } = answer
  // mutant: takes success:false for a success
  if (status >= 200 && status < 300) return judgeSuccess(answer)
  // mutant: takes a redirect for a success
  if (status >= 300 && status < 400) return { is: 'held', reason: 'segment_redirect' }
  if (status === 401 || status === 403 || status === 404) return { is: 'held', reason: `segment_${status}` }
  if (status === 400 && namesWriteKey(answer.body)) return { is: 'held', reason: 'write_key_refused' }
  // mutant: tries a 400 again for ever
  if (status === 400 || status === 413) return { is: 'refused', reason: `segment_${status}` }
  const afterMs = retryAfterMs(answer.headers['retry-after'], nowMs)
  return { is: 'later', reason: `segment_${status}`, ...(afterMs === undefined ? {} : { afterMs }) }
}

/**
 * Segment's own yes: its edge answers `{"success": true}`, and destinations that speak its API an `OK` or nothing.
 * Anything else with a 2xx, such as the page of a sign-in, comes from another server. Segment may have taken the batch
 * all the same, so it goes again under the same messageIds.
 */
function judgeSuccess({ body, isCut }: { body: string; isCut?: true }): Verdict {
  // Segment answers in a few bytes; what stands behind the beginning is not known.
  if (isCut) return { is: 'held', reason: 'not_segment' }
  const reading = readText(body)
  const said = reading.ok && isObject(reading.value) ? reading.value : undefined
  if (said && (said.success === false || said.ok === false || (said.error ?? null) !== null))
    return { is: 'held', reason: 'segment_success_false' }
  if (said?.success === true || said?.ok === true || /^(ok)?$/i.test(body.trim())) return { is: 'done' }
  return { is: 'held', reason: 'not_segment' }
}

function namesWriteKey(body: string): boolean {
  return /write[ _-]?key/i.test(body)
}
