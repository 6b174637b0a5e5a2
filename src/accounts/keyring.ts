/**
 * Every account has a data key of its own, wrapped by ENCRYPTION_KEYS and kept in the vault. To forget an account's
 * data key is to erase all that was sealed for it, wherever copies lie.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { Problem } from '../lib/errors.ts'
import type { Random } from '../lib/random.ts'
import { type Key, keyedDigest, keyIdOf, seal, unseal } from '../lib/seal.ts'
import type { Vault } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'

/** The key of what belongs to no account: events of accounts not installed, unreadable bodies, our own secrets. */
const ours: Org = ''

/** Identities are kept for a month for every event: 16 bytes are enough that two never meet by chance. */
const identityBytes = 16

export interface Keyring {
  /** Seals for an account; `place` says where the bytes belong and must be named again to open them. */
  seal(org: Org, place: string, plain: Uint8Array | string): Promise<Buffer>
  open(place: string, sealed: Uint8Array): Promise<Buffer>
  /** Sixteen bytes that are equal for equal parts, and say nothing of them without our secret. */
  identity(text: string | Uint8Array): Buffer
  /**
   * The names in the vault of all keys that the account has: when these are removed, all that they sealed is gone for good.
   * An id is never used again.
   */
  namesOf(org: Org): Promise<string[]>
  /** Looks at the store again: what another process has forgotten is forgotten here, what it has added is learnt. */
  reload(): Promise<void>
  /** How many data keys are wrapped by each of ENCRYPTION_KEYS, by its id. */
  wrappedBy(): Promise<Map<string, number>>
  /** Wraps every data key by the first of ENCRYPTION_KEYS; the data keys stay, and so does all they sealed. */
  rewrap(): Promise<number>
}

interface Wrapping {
  id: string
  secret: KeyObject
}

interface DataKey extends Key {
  org: Org
}

/** Refuses, with nothing written, when the vault was sealed by keys that are not among these. */
export async function openKeyring(vault: Vault, wrappings: readonly Wrapping[], random: Random): Promise<Keyring> {
  const byId = new Map<number, DataKey>()
  const byOrg = new Map<Org, DataKey>()

  const learn = (id: number, stored: Uint8Array): DataKey => {
    const key = unwrap(id, stored, wrappings)
    byId.set(id, key)
    const current = byOrg.get(key.org)
    if (!current || current.id < id) byOrg.set(key.org, key)
    return key
  }

  const load = async () => {
    for (const { name, value } of await vault.list(prefix)) {
      const id = Number(name.slice(prefix.length))
      if (!byId.has(id)) learn(id, value)
    }
  }

  async function keyFor(org: Org): Promise<Key> {
    const known = byOrg.get(org)
    if (known) return known
    await load()
    return byOrg.get(org) ?? make(org)
  }

  /** After a look at the store. Another process may take the id first, for whichever account. */
  async function make(org: Org): Promise<Key> {
    for (let id = Math.max(0, ...byId.keys()) + 1; ; id++) {
      const key = learn(id, await vault.create(nameOf(id), wrap(id, org, wrappings[0]!, random.bytes(32), random)))
      if (key.org === org) return key
    }
  }

  async function keyOf(sealed: Uint8Array): Promise<Key> {
    const id = keyIdOf(sealed)
    if (!byId.has(id)) await load()
    const key = byId.get(id)
    if (key) return key
    throw new Problem('key_forgotten', 'this was sealed for an account that has been disconnected since')
  }

  /** By the key that its bytes name: of one owner there may be several by now. */
  async function open(place: string, sealed: Uint8Array): Promise<Buffer> {
    return unseal(await keyOf(sealed), place, sealed)
  }

  async function firstSecret(): Promise<Buffer> {
    const made = seal(await keyFor(ours), identityName, random.bytes(32), random)
    return open(identityName, await vault.create(identityName, made))
  }

  await load()
  const sealed = await vault.read(identityName)
  const secret = await (sealed ? open(identityName, sealed) : firstSecret())
  const identitySecret = createSecretKey(secret)

  return {
    seal: async (org, place, plain) => seal(await keyFor(org), place, bytesOf(plain), random),
    open,
    identity: (text) => keyedDigest(identitySecret, text).subarray(0, identityBytes),
    async namesOf(org) {
      // Another process may have made one.
      await load()
      const theirs = [...byId.values()].filter((known) => known.org === org)
      // A key of ours with a higher id stays, so that none gets theirs again: others may still know it as the old one.
      if (theirs.length > 0) await make(ours)
      return theirs.map(({ id }) => nameOf(id))
    },
    async reload() {
      const stored = new Set((await vault.list(prefix)).map(({ name }) => Number(name.slice(prefix.length))))
      for (const key of [...byId.values()].filter(({ id }) => !stored.has(id))) {
        byId.delete(key.id)
        if (byOrg.get(key.org) === key) byOrg.delete(key.org)
      }
      await load()
    },
    async wrappedBy() {
      const counts = new Map<string, number>()
      for (const { value } of await vault.list(prefix)) {
        const { wrappingId } = headOf(value)
        counts.set(wrappingId, (counts.get(wrappingId) ?? 0) + 1)
      }
      return counts
    },
    async rewrap() {
      await load()
      let rewrapped = 0
      for (const { name, value } of await vault.list(prefix)) {
        const { org, wrappingId } = headOf(value)
        const key = byId.get(Number(name.slice(prefix.length)))
        if (!key || wrappingId === wrappings[0]!.id) continue
        // Not if the account has left meanwhile: its key must stay forgotten.
        if (await vault.replace(name, wrap(key.id, org, wrappings[0]!, key.secret.export(), random))) rewrapped++
      }
      return rewrapped
    },
  }
}

/** What is stored does not open: its bytes were changed, or its account has left. The store itself is well. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'sealed_unreadable' || error.code === 'key_forgotten')
}

const prefix = 'data-key/'
const identityName = 'identity-secret'

/** Fixed width, so that removing by prefix removes one key only. */
function nameOf(id: number): string {
  return `${prefix}${String(id).padStart(10, '0')}`
}

/** `org newline id of the wrapping key newline sealed secret`. */
function wrap(id: number, org: Org, wrapping: Wrapping, secret: Uint8Array, random: Random): Buffer {
  const place = `${nameOf(id)} ${org}`
  const head = Buffer.from(`${org}\n${wrapping.id}\n`)
  return Buffer.concat([head, seal({ id: 0, secret: wrapping.secret }, place, secret, random)])
}

function unwrap(id: number, stored: Uint8Array, wrappings: readonly Wrapping[]): DataKey {
  const { org, wrappingId, sealed } = headOf(stored)
  const wrapping = wrappings.find((known) => known.id === wrappingId)
  if (!wrapping) throw wrongKeys(`the store was sealed with a key called "${wrappingId}", which is not given`)
  try {
    const secret = unseal({ id: 0, secret: wrapping.secret }, `${nameOf(id)} ${org}`, sealed)
    return { id, org, secret: createSecretKey(secret) }
  } catch {
    throw wrongKeys(`the key called "${wrappingId}" is not the one the store was sealed with`)
  }
}

function headOf(stored: Uint8Array): { org: Org; wrappingId: string; sealed: Uint8Array } {
  const bytes = Buffer.from(stored)
  const orgEnd = bytes.indexOf(10)
  const idEnd = bytes.indexOf(10, orgEnd + 1)
  return {
    org: bytes.toString('utf8', 0, orgEnd),
    wrappingId: bytes.toString('utf8', orgEnd + 1, idEnd),
    sealed: bytes.subarray(idEnd + 1),
  }
}

function wrongKeys(message: string): Problem {
  return new Problem('encryption_keys_wrong', `ENCRYPTION_KEYS: ${message}; nothing was changed`, {
    hint: 'give the keys this store was made with; without them what it holds cannot be read by anybody',
    exitCode: 78,
  })
}

function bytesOf(plain: Uint8Array | string): Uint8Array {
  return typeof plain === 'string' ? Buffer.from(plain) : plain
}
