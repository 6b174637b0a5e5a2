/** Where a destination sends, and under which write key: adding one, changing it, and trying it out. */
import { record } from '../accounts/audit.ts'
import { changeWriteKey, type KeyTested, testWriteKey } from '../accounts/change-key.ts'
import {
  addDestination,
  type DestinationDone,
  destinationProblem,
  isFixed,
  nameProblem,
} from '../accounts/destination-actions.ts'
import { destinationOf } from '../accounts/destinations.ts'
import { savedWriteKey } from '../accounts/write-key.ts'
import { readConfig } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { trimmed } from '../lib/pasted.ts'
import { systemRandom } from '../lib/random.ts'
import { openHttpClient } from '../lib/request.ts'
import { explain } from '../operations/reasons.ts'
import { type Place, placeSaid } from '../segment/place.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Command, Given, Option } from './command.ts'
import { writeKeyIn } from './secrets.ts'
import {
  destinationNamed,
  destinationSaid,
  installOf,
  destination as named,
  org,
  orgOf,
  regionOf,
  who,
  withStore,
} from './store.ts'

const destination: Option = { ...named, required: true }
const region: Option = {
  flags: '--region <region>',
  meaning: 'where the Segment workspace is: us (as when absent) or eu',
}
const endpoint: Option = { flags: '--endpoint <name>', meaning: 'one of DESTINATION_ENDPOINTS, in place of Segment' }

export const addCommand: Command = {
  name: 'add',
  summary: 'add a destination, which gets what is received from now on; reads {"writeKey":"…"} from standard input',
  options: [
    org,
    { flags: '--name <name>', meaning: 'what people call it, up to 40 characters', required: true },
    region,
    endpoint,
  ],
  examples: [
    `echo '{"writeKey":"…"}' | npx drift-segment-source destinations add --org 12345 --name Staging`,
    `echo '{"writeKey":"…"}' | npx drift-segment-source destinations add --org 12345 --name Lake --endpoint rudder`,
  ],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = orgOf(given.org)
      const install = installOf(store, id)
      const name = nameOf(given)
      const place = placeIn(given) ?? { region: 'us' }
      const judged = writeKeyIn(await context.readInput(), place)
      const done = await addDestination(store, id, { name, place, writeKey: judged.key, who })
      assertDone(install, done)
      const added = destinationOf(done.install, done.number)!
      context.print(`${id}: ${destinationSaid(added)}: ${added.paused ? 'paused, as the others are' : 'added'}`)
      if (judged.is === 'unusual') context.remark(`look again: ${judged.why}`)
    }),
}

export const changeCommand: Command = {
  name: 'change',
  summary: 'send to another region or endpoint, or under another write key: with --write-key, {"writeKey":"…"} is read',
  options: [
    org,
    destination,
    region,
    endpoint,
    { flags: '--write-key', meaning: 'read another write key from standard input' },
  ],
  examples: [
    'npx drift-segment-source destinations change --org 12345 --destination Staging --region eu',
    `echo '{"writeKey":"…"}' | npx drift-segment-source destinations change --org 12345 --destination 2 --write-key`,
  ],
  run: (context, given) =>
    withStore(context, async (store) => {
      if (['region', 'endpoint', 'writeKey'].every((name) => given[name] === undefined))
        throw new Problem('nothing_to_change', 'the command does not say what is to change', {
          hint: 'give --region, --endpoint or --write-key',
          exitCode: 2,
        })
      const { install, named: one } = destinationNamed(store, given)
      if (isFixed(store, install, one.number)) throw destinationProblem(install.org, 'fixed')
      const place = placeIn(given) ?? one
      const judged = given.writeKey === true ? writeKeyIn(await context.readInput(), place) : undefined
      if (!judged && one.key === undefined)
        throw new Problem('write_key_missing', `account ${install.org}: ${destinationSaid(one)} has no write key yet`, {
          hint: 'give it one: --write-key',
          exitCode: 2,
        })
      const changed = await changeWriteKey(store, install.org, {
        destination: one.number,
        region: place.region,
        endpoint: place.endpoint,
        by: who,
        ...(judged ? { writeKey: judged.key } : {}),
      })
      if (changed.is !== 'saved') assertDone(install, { is: changed.is })
      else
        context.print(
          `${install.org}: ${destinationSaid(one)}: ${placeSaid(place)}, write key with fingerprint ${changed.fingerprint}`,
        )
      const why = judged?.is === 'unusual' ? judged.why : changed.is === 'saved' && changed.unusual
      if (why) context.remark(`look again: ${why}`)
    }),
}

export const testCommand: Command = {
  name: 'test',
  summary: 'send one test event to a destination, and say what its answer means; exits 1 when it was not taken',
  options: [org, destination],
  examples: ['npx drift-segment-source destinations test --org 12345 --destination Staging'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const { storage, keyring, clock } = store
      const { install, named: one } = destinationNamed(store, given)
      const writeKey = await savedWriteKey(keyring, install.org, one)
      if (writeKey === undefined)
        throw new Problem('write_key_missing', `account ${install.org}: ${destinationSaid(one)} has no write key`, {
          hint: 'give it one: `destinations change --write-key`',
        })
      const config = readConfig(context.env(), 'store')
      const httpClient = openHttpClient({ proxies: config.proxies })
      try {
        const needs = { send: httpClient.send, segment: config.segment, clock, random: systemRandom }
        const tested = await testWriteKey(needs, writeKey, one)
        await record({ ...storage, clock }, { org: install.org, who, act: 'testedKey', about: destinationSaid(one) })
        for (const line of saidOf(tested, one)) context.print(line)
        return tested.verdict.is === 'done' ? 0 : 1
      } finally {
        await httpClient.close()
      }
    }),
}

function saidOf({ messageId, verdict, sign }: KeyTested, { endpoint: name }: Place): string[] {
  if (verdict.is !== 'done') {
    const { means, todo } = explain(verdict.reason, name)
    return [`not taken: ${means} (${verdict.reason})`, `what to do: ${todo}`]
  }
  if (name !== undefined) return [`taken: look for ${messageId} at ${name}`]
  const known = {
    known: "Segment's public settings know this key",
    unconfirmed: "Segment's public settings do not list this key, which proves nothing",
    unasked: "Segment's public settings could not be asked",
  }[sign]
  return [`taken, as Segment takes wrong keys too: look for ${messageId} in the source's Debugger`, known]
}

/** Undefined where none is named: then it stays where it is. */
function placeIn(given: Given): Place | undefined {
  if (given.region !== undefined && given.endpoint !== undefined)
    throw new Problem('place_unusable', '--region and --endpoint exclude each other', {
      hint: 'a destination sends to Segment in one of its regions, or to an endpoint',
      exitCode: 2,
    })
  const wanted = regionOf(given.region)
  if (given.endpoint !== undefined) return { region: 'us', endpoint: String(given.endpoint) }
  return wanted && { region: wanted }
}

/** Throws a Problem of a name that cannot be one. */
export function nameOf(given: Given): string {
  const name = trimmed(String(given.name ?? ''))
  const problem = nameProblem(name)
  if (problem === undefined) return name
  throw new Problem('name_unusable', `the name ${problem}`, { exitCode: 2 })
}

/** Throws a Problem where it was not done. */
export function assertDone(install: Install, done: DestinationDone): asserts done is DestinationDone & { is: 'done' } {
  if (done.is !== 'done') throw destinationProblem(install.org, done.is)
}
