/** What the Drift app must be allowed to do here, and nothing more. */

/** What each is needed for, in words for whoever connects an account. */
export const scopesNeeded: Readonly<Record<string, string>> = {
  contact_read: 'contacts may not be read',
  all_contact_read: 'Drift sends no changes of contacts',
  conversation_read: 'events that name only a conversation cannot be told whose they are, and wait',
}

export interface ScopesJudged {
  missing: string[]
  /** What the app may do beyond need: whoever stole its token could do it too. */
  needless: string[]
}

export function judgeScopes(scopes: readonly string[]): ScopesJudged {
  return {
    missing: Object.keys(scopesNeeded).filter((scope) => !scopes.includes(scope)),
    needless: scopes.filter((scope) => !(scope in scopesNeeded)),
  }
}
