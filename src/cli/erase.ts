/** Erasing one person, or letting history bring them in again. */
import { allowPerson, erasePerson } from '../accounts/actions.ts'
import { contactDigest } from '../accounts/audit.ts'
import { quantity } from '../lib/quantity.ts'
import { allowPerson as allowEvents, erasePerson as eraseEvents } from '../operations/erase.ts'
import { assertGone, untilGone } from '../pipeline/until-gone.ts'
import type { Command } from './command.ts'
import { contactOf, org, orgOf, remarkUnknown, who, withStore } from './store.ts'

export const erase: Command = {
  name: 'erase',
  summary: 'take away everything that is stored of one person; what was sent already must be deleted where it was sent',
  options: [
    org,
    { flags: '--contact <id>', meaning: "Drift's contactId, in digits", required: true },
    { flags: '--dry-run', meaning: 'change nothing: say how much would go' },
    {
      flags: '--undo',
      meaning: 'let a backfill bring in again what Drift has of this person; what was erased here stays so',
    },
  ],
  examples: ['npx drift-segment-source erase --org 12345 --contact 3339562 --dry-run'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const { storage, keyring } = store
      const id = orgOf(given.org)
      const contact = contactOf(given.contact)
      // Events may be here of an account that is not: they are erased all the same.
      remarkUnknown(context, store, { org: id })
      if (given.undo === true) {
        await allowPerson(store, () => allowEvents({ ...storage, keyring }, id, contact), { org: id, contact, who })
        return context.print('a backfill brings in what Drift has of this contact; what was erased here stays so')
      }
      const dryRun = given.dryRun === true
      const digest = contactDigest(keyring, id, contact)
      const erase = () => eraseEvents({ ...storage, keyring, clock: store.clock }, id, contact, dryRun)
      const { entries, conversations } = dryRun
        ? await erase()
        : await erasePerson(store, erase, { org: id, contact, who })
      const verb = dryRun ? 'would be erased' : 'erased'
      context.print(`${quantity(entries, 'event')} ${verb}, ${quantity(conversations, 'conversation')} forgotten`)
      context.print(`the audit calls this contact ${digest}`)
      context.print(
        'an event whose lookup is pending is not found yet, because Drift has not said whose it is: run this again later',
      )
      if (!dryRun) assertGone(await untilGone(store))
    }),
}
