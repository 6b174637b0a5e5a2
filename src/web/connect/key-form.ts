/**
 * What a form with a write key means. Browsers and password managers fill such a field too, also late and unseen: a key
 * that differs from the one the page speaks of is not saved before the admin has said which of the two is meant. One that
 * does not look like a write key is asked about as well.
 */
import type { Keyring } from '../../accounts/keyring.ts'
import { fingerprintOf } from '../../accounts/write-key.ts'
import { trimmed } from '../../lib/pasted.ts'
import { judgeWriteKey } from '../../segment/key.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { HeldKey, KeyQuestion } from '../console/ui/key-question.ts'

export interface KeyFields {
  /** What stood in the field. */
  pasted: string
  /** The held key that the admin chose when the page asked which; '' where it did not ask. */
  chosen: string
  /** The key that the page spoke of: what is saved when the field is empty. `isMoved`: it was saved for another place. */
  known?: { word: 'tested' | 'saved'; key: string; isMoved?: boolean } | undefined
  /** The page spoke of a key that was tested, and that cannot be opened any more. */
  isLost?: boolean
  /** How the key of this place is judged. */
  judge?: typeof judgeWriteKey
}

export type KeyGiven =
  | { is: 'wrong'; problem: string }
  | { is: 'unsure'; question: KeyQuestion }
  | { is: 'sure'; writeKey: string }

export async function keyGiven(
  keyring: Keyring,
  org: Org,
  { pasted, chosen, known, isLost = false, judge = judgeWriteKey }: KeyFields,
): Promise<KeyGiven> {
  if (chosen !== '') {
    const writeKey = await heldKey(keyring, org, chosen)
    if (writeKey !== undefined) return { is: 'sure', writeKey }
    return { is: 'wrong', problem: 'the write key that you chose cannot be read any more: paste it again' }
  }
  const isKept = known !== undefined && trimmed(pasted) === ''
  if (isKept && !known.isMoved) return { is: 'sure', writeKey: known.key }
  const judged = judge(isKept ? known.key : pasted)
  if (judged.is === 'refused')
    return { is: 'wrong', problem: isKept ? `the saved write key cannot be one there: ${judged.why}` : judged.why }
  const writeKey = judged.key
  // Of a key that was tested the page has said already what is unusual about it.
  const isKnown = known?.key === writeKey
  const isNews = known?.isMoved === true && judged.is === 'unusual'
  if (isKnown ? !isNews : !known && judged.is === 'usual' && !isLost) return { is: 'sure', writeKey }
  const given = await holdKey(keyring, org, writeKey)
  const other = isKnown || !known ? undefined : { word: known.word, ...(await holdKey(keyring, org, known.key)) }
  const warnings = [...(isLost ? [lost] : []), ...(judged.is === 'unusual' ? [`${judged.why}.`] : [])]
  const warning = warnings.join(' ') || undefined
  return { is: 'unsure', question: { given, known: other, warning } }
}

const lost =
  'The write key that you tested cannot be read any more. If you did not paste the one in the field, your browser or a password manager filled it in.'

/** Sealed, so that it can go to the browser and back: it cannot be read there, and does not open in another account. */
export async function holdKey(keyring: Keyring, org: Org, writeKey: string): Promise<HeldKey> {
  const sealed = await keyring.seal(org, heldPlace(org), writeKey)
  return { held: sealed.toString('base64url'), fingerprint: fingerprintOf(writeKey) }
}

/** Undefined for what was not held here, for this account. */
export function heldKey(keyring: Keyring, org: Org, held: string): Promise<string | undefined> {
  return keyring.open(heldPlace(org), Buffer.from(held, 'base64url')).then(String, () => undefined)
}

function heldPlace(org: Org): string {
  return `form write_key ${org}`
}
