/** Drift's REST look-ups: a conversation, a contact. Answers are wrapped in `data`. */
import { bearer, type DriftState, kong, type Org } from './drift-state.ts'
import type { Received, Reply } from './server.ts'

const lookUps: { path: RegExp; scopes: string[]; of: (org: Org) => Org['contacts']; noun: string }[] = [
  {
    path: /^\/conversations\/([^/]+)$/,
    scopes: ['conversation_read'],
    of: (org) => org.conversations,
    noun: 'Conversation',
  },
  {
    path: /^\/contacts\/([^/]+)$/,
    scopes: ['contact_read', 'all_contact_read'],
    of: (org) => org.contacts,
    noun: 'Contact',
  },
]

/** Undefined when the path is none of these. */
export function lookUp(state: DriftState, { path, headers }: Received): Reply | undefined {
  for (const { path: pattern, scopes, of, noun } of lookUps) {
    const [, id] = pattern.exec(path) ?? []
    if (id === undefined) continue
    const grant = bearer(state, headers.authorization)
    if ('status' in grant) return grant
    // No public source shows Drift's own answer here; this is RFC 6750's, in the shape of the gateway's others.
    if (!scopes.some((scope) => grant.scopes.includes(scope)))
      return kong(403, 'insufficient_scope', `The access token needs ${scopes.join(' or ')}`)
    const org = state.orgs.get(grant.orgId)
    const record = org && of(org).get(id)
    return record ? { status: 200, body: { data: record } } : notFound(state, `${noun} ${id} was not found`)
  }
  return undefined
}

function notFound({ settings }: DriftState, message: string): Reply {
  const body =
    settings.notFoundShape === 'errors'
      ? { errors: [{ type: 'not_found', message, param: 'id' }] }
      : { error: { type: 'not_found', message } }
  return { status: 404, body }
}
