/** Ends sessions for the operator: a browser or a link may be in the wrong hands. */
import { signOutEverywhere } from '../accounts/sign-out.ts'
import type { Command } from './command.ts'
import { notInstalled, orgOrAll, who, withStore } from './store.ts'

export const signOut: Command = {
  name: 'sign-out',
  summary: "end every session in an account's console, and every sign-in link that was not used",
  options: [
    { flags: '--org <id>', meaning: "of this account: Drift's account number (orgId)" },
    { flags: '--all', meaning: 'of all accounts' },
  ],
  examples: ['npx drift-segment-source sign-out --org 12345', 'npx drift-segment-source sign-out --all'],
  run: (context, given) => {
    const org = orgOrAll(given)
    return withStore(context, async ({ storage, accounts, clock }) => {
      if (org !== undefined && !accounts.get(org)) throw notInstalled(org)
      const ended = await signOutEverywhere({ ...storage, clock }, org, who)
      context.print(`${org === undefined ? 'all accounts' : `account ${org}`}: ${ended} ended`)
    })
  },
}
