/** What can be said of a Segment write key by looking at it. Every door judges it here: settings, commands and forms. */
import { secretProblem, trimmed } from '../lib/pasted.ts'
import type { Place } from './place.ts'

/** Segment's keys have 32 characters, older ones fewer; a longer text is something else. */
const charactersMax = 200

/**
 * `key` is what was pasted without the spaces and line breaks around it. `unusual`: it may be right, since Segment has had
 * several shapes, but is worth a second look. `why` is a whole sentence without its full stop, and never holds the key.
 */
export type KeyJudgement =
  | { is: 'usual'; key: string }
  | { is: 'unusual'; key: string; why: string }
  | { is: 'refused'; why: string }

export function judgeWriteKey(pasted: string): KeyJudgement {
  const key = trimmed(pasted)
  // What looks like all of Segment's keys may spell any word by chance.
  if (/^[A-Za-z0-9]{32}$/.test(key) && !secretProblem(key)) return { is: 'usual', key }
  const why = refusal(key)
  if (why) return { is: 'refused', why }
  return {
    is: 'unusual',
    key,
    why: "Segment's write keys mostly have 32 letters and digits, and this one does not: compare it with the source",
  }
}

/** How the key of this place is judged. */
export function judgeFor({ endpoint }: Place): (pasted: string) => KeyJudgement {
  return endpoint === undefined ? judgeWriteKey : judgeEndpointKey
}

/** The key of an endpoint in Segment's place: its makers give it any form. */
function judgeEndpointKey(pasted: string): KeyJudgement {
  const key = trimmed(pasted)
  const problem = key === '' ? 'is empty' : secretProblem(key)
  if (problem) return { is: 'refused', why: `the write key ${problem}` }
  if (key.length > charactersMax) return { is: 'refused', why: 'the write key is far longer than one can be' }
  // RFC 7617, section 2: the user ends at the first colon.
  return key.includes(':')
    ? {
        is: 'unusual',
        key,
        why: 'it has a colon, where a reader of Authorization: Basic takes the key to end: ask those who run the endpoint',
      }
    : { is: 'usual', key }
}

function refusal(key: string): string | undefined {
  if (key === '') return 'enter a write key'
  const problem = secretProblem(key)
  if (problem) return `the write key ${problem}`
  if (key.length > charactersMax) return 'a write key is about 32 characters long, and this is far longer'
  if (/^sgp_/i.test(key))
    return 'this is a token of Segment\'s Public API; the write key is in the source\'s settings under "API Keys"'
  if (/^[a-z][a-z+.-]*:\/\//i.test(key)) return 'this is an address, not a write key'
  if (/your|replace|write_?key|example|placeholder/i.test(key)) return 'this is a placeholder, not a write key'
  if (/^\d{1,19}$/.test(key)) return 'this is a number, such as an account has at Drift, not a write key'
  if (/[^A-Za-z0-9_-]/.test(key)) return 'a write key has only letters and digits'
  return undefined
}
