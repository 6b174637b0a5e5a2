import type { Install } from '../storage/ports.ts'
import type { Keyring } from './keyring.ts'

export function sealWriteKey(keyring: Keyring, org: string, writeKey: string): Promise<Buffer> {
  return keyring.seal(org, placeOf(org), writeKey)
}

/** Only for an install that has one: `holdOf` says so. */
export async function openWriteKey(keyring: Keyring, install: Install): Promise<string> {
  return (await keyring.open(placeOf(install.org), install.writeKey!)).toString()
}

/** What is wrong with a pasted write key, if anything. An unusual one is no error: Segment has had several shapes. */
export function writeKeyProblem(pasted: string): string | undefined {
  const key = pasted.trim()
  if (key === '') return 'the write key is empty'
  if (key.length > 200) return 'a write key is about 32 characters long'
  if (/[^\x21-\x7e]/.test(key)) return 'a write key has no spaces and only plain letters and digits'
  if (/^sgp_/.test(key))
    return 'this is a token of Segment\'s Public API; the write key is in the source\'s settings under "API Keys"'
  if (/^https?:/i.test(key)) return 'this is an address, not a write key'
  if (/your|replace|write_?key|example|placeholder/i.test(key)) return 'this is a placeholder, not a write key'
  return undefined
}

function placeOf(org: string): string {
  return `installs write_key ${org}`
}
