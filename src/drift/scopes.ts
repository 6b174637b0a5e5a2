/** What the Drift app must be allowed to do here, and nothing more. */

/** What does not work without each, in words for the admin who connects an account. */
export const scopesNeeded: Readonly<Record<string, string>> = {
  contact_read: 'contacts may not be read',
  all_contact_read: 'Drift sends no changes of contacts',
  conversation_read: 'the contact of events that name only a conversation cannot be looked up, so they wait',
}

export interface ScopesJudged {
  missing: string[]
  /** What the app may do beyond need: a thief of its token could do it too. */
  needless: string[]
}

export function judgeScopes(scopes: readonly string[]): ScopesJudged {
  return {
    missing: Object.keys(scopesNeeded).filter((scope) => !scopes.includes(scope)),
    needless: scopes.filter((scope) => !(scope in scopesNeeded)),
  }
}
