/** The options of what is sent to a destination, from the command line: shown as JSON, and replaced by other ones. */
import { firstOf } from '../accounts/destinations.ts'
import {
  type Applied,
  applyToQueued,
  changeOptions,
  isStricter,
  optionsOf,
  optionsVersionOf,
} from '../accounts/options.ts'
import { catalogue } from '../events/index.ts'
import { Problem } from '../lib/errors.ts'
import { readText } from '../lib/json.ts'
import { quantity } from '../lib/quantity.ts'
import { knownNames } from '../mapping/known.ts'
import { judgeOptions, type Options, refusedSaid } from '../mapping/options.ts'
import { changesSaid, wouldChange } from '../operations/preview.ts'
import type { Store } from '../service.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination } from '../storage/ports/entry.ts'
import type { Command, Context, Given, Option } from './command.ts'
import { destinationNamed, installOf, org, orgOf, who, withStore } from './store.ts'

export const destination: Option = {
  flags: '--destination <name>',
  meaning: "the one of the account's destinations that is meant, by name or number; the first one without it",
}

export const options: Command = {
  name: 'options',
  summary: 'the options of what is sent to a destination, as JSON; --set changes them for what is received from now on',
  options: [
    org,
    destination,
    { flags: '--set <json>', meaning: 'all options that are to be on, as JSON; {} for none' },
    {
      flags: '--queued-as-before',
      meaning:
        'send what waits already as before; without this, what the new options drop or hash is dropped or hashed there too',
    },
    {
      flags: '--dry-run',
      meaning: 'save nothing; say how many of the last thousand events would have been sent otherwise',
    },
  ],
  examples: [
    'npx drift-segment-source options --org 12345',
    `npx drift-segment-source options --org 12345 --set '{"userId":{"attribute":"externalId"},"externalIds":true,"safeNames":true}'`,
  ],
  run: (context, given) => withStore(context, (store) => run(context, given, store)),
}

async function run({ print }: Context, given: Given, store: Store): Promise<void> {
  const { accounts, storage, keyring, clock } = store
  const { install, number } = optionsTarget(store, given)
  const id = install.org
  const before = optionsOf(install, number)
  if (given.set === undefined && (given.dryRun === true || given.queuedAsBefore === true))
    throw new Problem('options_unusable', '--dry-run and --queued-as-before need --set: nothing is saved without it', {
      exitCode: 2,
    })
  if (given.set === undefined) return print(JSON.stringify(before, undefined, 2))
  const after = optionsIn('--set', String(given.set))
  const needs = { catalogue, keyring, lookup: storage.lookup }
  print(changesSaid(await wouldChange(needs, id, { before, after })))
  if (given.dryRun) return
  const alsoQueued = isStricter(before, after) && given.queuedAsBefore !== true
  const saved = { destination: number, options: after, generation: String(install.generation), who, alsoQueued }
  const done = await changeOptions({ accounts, clock }, id, saved)
  if (!done) throw new Problem('options_stale', 'the account was changed meanwhile, and nothing was saved')
  print(`saved as version ${optionsVersionOf(done.install)}: events that are received from now on are sent with it`)
  if (!alsoQueued) return
  const applied = await applyToQueued({ inbox: storage.inbox, clock }, id, number, done)
  if (applied.changed + applied.given === 0 && !applied.isBusy) return
  const { changed } = applied
  print(
    `of what waits, ${quantity(changed, 'event')} ${changed === 1 ? 'is' : 'are'} dropped and hashed so as well; ${givenWords(applied)}`,
  )
}

function givenWords({ given, isBusy }: Applied): string {
  const rest = isBusy ? '; the rest was being sent all the time, and stays as it was' : ''
  return `${given} ${given === 1 ? 'stays' : 'stay'} as before, since an attempt to send ${given === 1 ? 'it' : 'them'} was made already${rest}`
}

/** The account of `--org`, and its destination that is meant. */
export function optionsTarget(store: Pick<Store, 'accounts'>, given: Given): { install: Install; number: Destination } {
  const known = installOf(store, orgOf(given.org))
  const called = given.destination ?? String(firstOf(known).number)
  const { install, named } = destinationNamed(store, { ...given, destination: called })
  return { install, number: named.number }
}

/** `name`: of the option of the command line that has them. */
export function optionsIn(name: string, text: string): Options {
  const reading = readText(text)
  if (!reading.ok)
    throw new Problem('options_unusable', `${name} is not JSON`, {
      hint: `put quotes of the shell around it: ${name} '{"safeNames":true}'`,
      exitCode: 2,
    })
  const judged = judgeOptions(reading.value, knownNames(catalogue))
  if (judged.ok) return judged.options
  const hint = judged.why.map(refusedSaid).join('; ')
  throw new Problem('options_unusable', `${name} holds options that cannot be saved`, { hint, exitCode: 2 })
}
