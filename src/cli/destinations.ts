/** An account's destinations from the command line, beside a running service. Write keys come from standard input. */
import {
  destinationProblem,
  pauseDestination,
  removeDestination,
  renameDestination,
} from '../accounts/destination-actions.ts'
import { type Destination, destinationState, destinationsOf } from '../accounts/destinations.ts'
import { resumeDestinationNow, retryNow } from '../accounts/retry.ts'
import { assertReadable } from '../accounts/settings.ts'
import { holdOf } from '../accounts/state.ts'
import { shownKey } from '../accounts/write-key.ts'
import { Problem } from '../lib/errors.ts'
import { quantity } from '../lib/quantity.ts'
import { explain } from '../operations/reasons.ts'
import { outcomesByDestination, waitingFor } from '../operations/totals.ts'
import { placeSaid } from '../segment/place.ts'
import type { Store } from '../service.ts'
import type { Install } from '../storage/ports/accounts.ts'
import { isServed, tellAttempt } from './attempts.ts'
import type { Command, Context, Given, Option } from './command.ts'
import { addCommand, assertDone, changeCommand, nameOf, testCommand } from './destinations-key.ts'
import {
  destinationNamed,
  destinationSaid,
  installOf,
  destination as named,
  org,
  orgOf,
  who,
  withStore,
} from './store.ts'

const destination: Option = { ...named, required: true }
const nameOption: Option = {
  flags: '--name <name>',
  meaning: 'what people call it, up to 40 characters',
  required: true,
}

/** What may be shown of a destination: everything but its key. */
async function shown({ keyring }: Store, install: Install, one: Destination) {
  const reason = holdOf(install, one.number) ?? one.reason
  const key = await shownKey(keyring, install, one)
  return {
    number: one.number,
    name: one.name,
    state: destinationState(one),
    ...(reason === undefined ? {} : { reason }),
    ...(one.endpoint === undefined ? { region: one.region } : { endpoint: one.endpoint }),
    ...(key ? { writeKey: key.fingerprint } : {}),
  }
}

const list: Command = {
  name: 'list',
  summary: "an account's destinations: state, place, the fingerprint of the write key, and what became of its events",
  options: [org, { flags: '--json', meaning: 'print JSON' }],
  examples: ['npx drift-segment-source destinations list --org 12345'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = orgOf(given.org)
      const install = installOf(store, id)
      assertReadable(install)
      const { totals, backlog } = await store.storage.ledger.snapshotOfAll()
      const outcomes = outcomesByDestination(totals, backlog).filter((one) => one.org === id)
      const rows = []
      for (const one of destinationsOf(install)) {
        const { org: _o, destination: _d, ...counts } = outcomes.find((sum) => sum.destination === one.number) ?? none
        rows.push({ ...(await shown(store, install, one)), counts })
      }
      if (given.json) return context.print(JSON.stringify(rows, undefined, 2))
      for (const { number, name, state, reason, writeKey, counts, ...place } of rows) {
        const where = placeSaid({ region: 'us', ...place })
        context.print(`${number}  ${name}  ${state}  ${where}  write key ${writeKey ?? 'not set'}`)
        const counted = Object.entries(counts).map(([outcome, count]) => `${outcome} ${count}`)
        context.print(`  ${counted.join(', ')}`)
        if (reason === undefined) continue
        const { means, todo } = explain(reason, 'endpoint' in place ? place.endpoint : undefined)
        context.print(`  ${reason}: ${means}\n    what to do: ${todo}`)
      }
    }),
}

const none = {
  org: '',
  destination: 0,
  received: 0,
  delivered: 0,
  waiting: 0,
  held: 0,
  dead: 0,
  ignored: 0,
  expired: 0,
}

const rename: Command = {
  name: 'rename',
  summary: 'give a destination another name; its number stays',
  options: [org, destination, nameOption],
  examples: ['npx drift-segment-source destinations rename --org 12345 --destination 2 --name Staging'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const { install, named: one } = destinationNamed(store, given)
      const name = nameOf(given)
      assertDone(install, await renameDestination(store, install.org, one.number, { name, who }))
      context.print(`${install.org}: ${destinationSaid({ number: one.number, name })}`)
    }),
}

const pause: Command = {
  name: 'pause',
  summary: 'send nothing to a destination and keep what comes in for it; the other destinations go on',
  options: [org, destination],
  examples: ['npx drift-segment-source destinations pause --org 12345 --destination Staging'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const { install, named: one } = destinationNamed(store, given)
      assertDone(install, await pauseDestination(store, install.org, one.number, who))
      context.print(`${install.org}: ${destinationSaid(one)}: paused`)
    }),
}

const resume: Command = {
  name: 'resume',
  summary: 'end the pause or refusal of a destination, try at once what waits there, and say what that brought',
  options: [org, destination],
  examples: ['npx drift-segment-source destinations resume --org 12345 --destination Staging'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const { install, named: one } = destinationNamed(store, given)
      const done = await resumeDestinationNow(store, install.org, one.number, who)
      if (done.is === 'same')
        throw new Problem(
          'not_paused',
          `account ${install.org}: ${destinationSaid(one)} is neither paused nor refused: there is nothing to resume`,
          {
            hint: '`destinations list` shows what holds it, and `destinations retry` tries what waits for a later time',
          },
        )
      assertDone(install, done)
      context.print(`${install.org}: ${destinationSaid(one)}: resumed`)
      const { asked = [], later = [] } = done
      if (asked.length > 0 && !(await isServed(store))) {
        context.remark('no service runs on this store: what waits is sent when one is started')
        return 0
      }
      return (await tellAttempt(context, store, install.org, { asked, later })).isRefused ? 1 : 0
    }),
}

const retry: Command = {
  name: 'retry',
  summary:
    'try at once what waits for a destination, and say what that brought; exits 0 when it was accepted or nothing waits',
  options: [org, destination],
  examples: ['npx drift-segment-source destinations retry --org 12345 --destination Staging'],
  run: (context, given) => withStore(context, (store) => tryNow(context, store, given)),
}

async function tryNow(context: Context, store: Store, given: Given): Promise<number> {
  const { install, named: one } = destinationNamed(store, given)
  if (holdOf(install, one.number) === undefined && !(await isServed(store)))
    throw new Problem('no_service', 'no service runs on this store: nothing was tried', {
      hint: 'start it: it tries what waits by itself',
    })
  const retried = await retryNow(store, install.org, who, one.number)
  if (retried.is === 'gone') throw destinationProblem(install.org, 'gone')
  if (retried.is === 'held') {
    const { means, todo } = explain(retried.reason, one.endpoint)
    throw new Problem('not_retried', `account ${install.org}: nothing was tried, since ${means}`, { hint: todo })
  }
  if (retried.asked.length + retried.later.length === 0)
    context.print(`${install.org}, ${destinationSaid(one)}: nothing waits`)
  return (await tellAttempt(context, store, install.org, retried)).isAccepted ? 0 : 1
}

const remove: Command = {
  name: 'remove',
  summary: 'take a destination away, with --yes: what waits for it is never sent there, and is counted as expired',
  options: [org, destination, { flags: '--yes', meaning: 'what waits for it may expire' }],
  examples: ['npx drift-segment-source destinations remove --org 12345 --destination Staging --yes'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const { install, named: one } = destinationNamed(store, given)
      const waits = waitingFor(await store.storage.ledger.backlog(), install.org, one.number)
      if (given.yes !== true && destinationsOf(install).length > 1)
        throw new Problem(
          'not_confirmed',
          `account ${install.org}: ${quantity(waits, 'event')} ${waits === 1 ? 'waits' : 'wait'} for ${destinationSaid(one)}`,
          {
            hint: 'add --yes if they may expire: they are not sent there any more',
            exitCode: 2,
          },
        )
      assertDone(install, await removeDestination(store, install.org, one.number, who))
      context.print(`${install.org}: ${destinationSaid(one)}: removed, ${quantity(waits, 'event')} expired`)
    }),
}

export const destinations: Command = {
  name: 'destinations',
  summary: 'where the events of an account go: one to ten destinations',
  examples: [],
  commands: [list, addCommand, changeCommand, rename, pause, resume, retry, testCommand, remove],
}
