/** What can be said of a Segment write key by looking at it. Every door judges it here: settings, commands and forms. */
import { secretProblem } from '../lib/unseen.ts'

/** Segment's keys have 32 characters, older ones fewer; whatever is longer than this is something else. */
const charactersMax = 200

/** A key as it was pasted, without the spaces and line breaks around it. Unseen characters stay, so that they are named. */
export function keyIn(pasted: string): string {
  return pasted.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
}

/** What is wrong with a pasted write key, as the end of a sentence; undefined when it can be one. */
export function writeKeyProblem(pasted: string): string | undefined {
  const key = keyIn(pasted)
  if (key === '') return 'the write key is empty'
  const problem = secretProblem(key)
  if (problem) return `the write key ${problem}`
  if (key.length > charactersMax) return 'the write key is about 32 characters long, and this is far longer'
  if (/^sgp_/i.test(key))
    return 'this is a token of Segment\'s Public API; the write key is in the source\'s settings under "API Keys"'
  if (/^[a-z][a-z+.-]*:\/\//i.test(key)) return 'this is an address, not a write key'
  if (/your|replace|write_?key|example|placeholder/i.test(key)) return 'this is a placeholder, not a write key'
  if (/[^A-Za-z0-9_-]/.test(key)) return 'a write key has only letters and digits'
  return undefined
}

/** What is unusual about a key that may well be right: Segment has had several shapes. */
export function writeKeyWarning(key: string): string | undefined {
  if (/^[A-Za-z0-9]{32}$/.test(key)) return undefined
  return 'Segment’s write keys mostly have 32 letters and digits, and this one does not: compare it with the source.'
}
