/** What can be done to an account and can happen to it, done in each of its states: test/account-table.ts says what must come of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accountReasons, type Relief, reliefs } from '../../src/accounts/needs-attention.ts'
import { afterAttempt } from '../../src/accounts/retry.ts'
import { judgeConversation } from '../../src/drift/conversation.ts'
import { judgeTokenInfo, judgeTokens, judgeUninstall } from '../../src/drift/oauth.ts'
import { Problem } from '../../src/lib/errors.ts'
import type { Answered } from '../../src/lib/request.ts'
import { brought } from '../../src/operations/attempt-outcome.ts'
import { judge } from '../../src/segment/verdict.ts'
import type { Lane } from '../../src/storage/ports/entry.ts'
import { type Action, actions, type What } from '../account-actions.ts'
import { endingSays, grantSays, lookupSays, segmentSays, tokenSays } from '../account-answers.ts'
import { afterAnswer, type Case, columnsOf, groups, rowOf, states, type Wanted } from '../account-line.ts'
import { type Endpoint, org, type Partners, type Said, well } from '../account-stage.ts'
import { accountThatIs, nowSays } from '../account-states.ts'
import {
  addingGrant,
  addingKey,
  cases,
  connecting,
  listing,
  offering,
  resuming,
  savingKey,
  sayingGoodbye,
  upgrading,
} from '../account-table.ts'
import { readTree } from '../tree.ts'

/** What the service did in all of the table. */
const seen = { arrows: new Set<string>(), told: new Set<string>(), audit: new Set<string>() }

async function comesOf(what: What, state: string, { says }: Case): Promise<Wanted> {
  const { does, isRun = true }: Action = actions[what]
  const world = await accountThatIs(state)
  nowSays(world, state, says)
  const { audit } = world.common.storage
  const known = (await audit.list(org, 100)).length
  world.accounts.onChange((was, is) => {
    const began = was.generation === 0 ? '[*]' : was.state
    if (began !== is.state) seen.arrows.add(`${began} --> ${is.state}`)
  })
  const { told, asked = [] } = await does(world).catch((error: unknown) => {
    if (error instanceof Problem) return { told: error.code, asked: [] }
    throw error
  })
  const brings = new Map<Lane, string>()
  // As a person is told: when the first attempt in a lane has ended.
  const look = async () => {
    for (const shown of await afterAttempt(world.common, org, asked, { waitMs: 0 }))
      if (!shown.asked && !brings.has(shown.lane)) brings.set(shown.lane, brought(shown).says.replace(/; next.*/, ''))
  }
  if (isRun) await world.run(look)
  const added = (await audit.list(org, 100)).slice(0, -known || undefined).reverse()
  for (const word of told.split(': ')) seen.told.add(word)
  for (const { what } of added) seen.audit.add(what)
  return {
    told,
    state: await world.name(),
    audit: added.map((entry) => (entry.who === 'Drift' ? `Drift: ${entry.what}` : entry.what)),
    isSent: world.requests.includes('batch'),
    attempt: asked.map(({ lane }) => brings.get(lane) ?? 'nothing'),
  }
}

describe('an account is told, becomes, keeps in its audit and tries what the table says', () => {
  for (const what of Object.keys(actions) as What[])
    test(`when ${what}`, async () => {
      const wrong: string[] = []
      for (const state of states)
        for (const one of cases[what](state)) {
          const found = await comesOf(what, state, one)
          const differs = (Object.keys(found) as (keyof Wanted)[]).filter(
            (key) => JSON.stringify(found[key]) !== JSON.stringify(one.wanted[key]),
          )
          for (const key of differs)
            wrong.push(
              `when ${what}, an account that is ${state}, where ${one.where}: ${key} should be ${JSON.stringify(one.wanted[key])} and is ${JSON.stringify(found[key])}`,
            )
        }
      assert.equal(wrong.length, 0, `${wrong.length} cells differ:\n${wrong.slice(0, 40).join('\n')}`)
    })
})

/* That nothing is missing in the table, and what is held to it. */

const tree = readTree()
const fileAt = (path: string) => tree.find((file) => file.path === path)!
/** The words of a type that is a choice of some, as it is written. */
function choicesOf(path: string, type: string): Set<string> {
  const [, body = ''] = new RegExp(`export type ${type} =([\\s\\S]*?)\\n\\n`).exec(fileAt(path).bare) ?? []
  const words = [...body.matchAll(/'(\w+)'/g)].map(([, word]) => word!)
  assert.ok(words.length > 0, `${path} has no ${type}`)
  return new Set(words)
}

/** An account that shows this reason. */
const stateOf: Readonly<Record<string, string>> = {
  not_installed: 'absent',
  no_write_key: 'waiting_for_key',
  not_allowed: 'not listed (live)',
  paused: 'paused',
  settings_unreadable: 'settings_unreadable (live)',
  endpoint_not_allowed: 'endpoint_not_allowed',
  disconnecting: 'disconnecting (live)',
  disconnect_unproven: 'disconnect_unproven (live)',
  disconnected: 'disconnected',
  ...Object.fromEntries(groups.refused!.filter((one) => one !== 'segment_unheard_of').map((one) => [one, one])),
}

/** What the table says of an account in this state when that happens which can end a reason. */
const reliefIn: Readonly<Record<Relief, (state: string) => string>> = {
  delivered: (state) => afterAnswer(state, 'accepted'),
  lookup: (state) => afterAnswer(state, 'answered'),
  renewed_grant: (state) => afterAnswer(state, 'renewed'),
  drift_answer: (state) => (state.includes('disconnect') ? (columnsOf(sayingGoodbye, state)[0] ?? state) : state),
  new_key: (state) => rowOf(savingKey, state).state,
  connect: (state) => rowOf(connecting, state).state,
  new_grant: (state) => (rowOf(addingKey, state).state === state ? rowOf(addingGrant, state).state : state),
  configure: (state) => rowOf(addingKey, state).state,
  resume: (state) => rowOf(resuming, state).state,
  listed: (state) => rowOf(listing, state).state,
  endpoint_listed: (state) => rowOf(offering, state).state,
  newer_version: (state) => rowOf(upgrading, state).state,
}

/** Functions of src/accounts that are in no line of the table, and why. */
const notDone: Readonly<Record<string, string>> = {
  resumeAccount: 'resumeNow calls it',
  disconnectMany: 'it calls leave() for each account',
  testWriteKey: 'it changes nothing of the account',
  markWell: 'it does what markBlocked does, where the partner says yes',
  endSessions: 'signOutEverywhere and leave() call it',
  followStates: 'a start makes the lanes of all accounts follow their states',
  record: 'whatever is done calls it',
  addDestination: 'test/accounts/destinations.test.ts has the table of a second destination',
  removeDestination: 'as addDestination',
  renameDestination: 'as addDestination',
  pauseDestination: 'as addDestination',
  resumeDestination: 'as addDestination',
  resumeDestinationNow: 'as addDestination',
  confirmKey: 'test/console has what an admin confirms',
  changeOptions: 'test/delivery/options.test.ts: it changes what is sent, and no state',
  applyToQueued: 'as changeOptions',
  chooseAlerts: 'src/alerts has what it changes, which is not a state',
}
/** Functions beside them that only look. */
const looks = new Set(
  'nameProblem destinationProblem isFixed lastOf storedAct actOf optionsOf optionsVersionOf optionsAt isStricter isSameLane isResumable isStillAsked isOpenRequest laterOf afterAttempt canRetry canResume grantOf sealGrant openGrant grantFields contactDigest entryOf'.split(
    ' ',
  ),
)
/** Acts of the audit that the table's accounts cannot come to, and the test that has them. */
const notActed: Readonly<Record<string, string>> = {
  confirmedTest: 'test/console',
  addedDestination: 'test/accounts/destinations.test.ts',
  removedDestination: 'test/accounts/destinations.test.ts',
  renamedDestination: 'test/accounts/destinations.test.ts',
  choseOptions: 'test/delivery/options.test.ts',
  choseAlerts: 'src/alerts',
  disconnectedNoGrant: 'src/accounts/leave.test.ts',
}

describe('nothing is missing in the table', () => {
  test('each reason of src/accounts/needs-attention.ts is a state of it, and is ended by what the table says', () => {
    assert.deepEqual(Object.keys(accountReasons).sort(), Object.keys(stateOf).sort())
    const everyRelief = Object.keys(reliefs) as Relief[]
    for (const [reason, { endedBy }] of Object.entries(accountReasons)) {
      const state = stateOf[reason]!
      const ended = everyRelief.filter((relief) => reliefIn[relief](state) !== state)
      assert.deepEqual(ended.sort(), [...endedBy].sort(), `what ends ${reason}`)
    }
  })

  test('each state that the store has is in it', () => {
    const named = [...choicesOf('src/storage/ports/accounts.ts', 'InstallState')]
    assert.ok(named.length > 0)
    for (const state of named)
      assert.ok(
        states.some((one) => one.includes(state)),
        `no line speaks of ${state}`,
      )
  })

  test('whatever src/accounts exports that changes an account or its audit is done in it', () => {
    const acting = tree.filter(({ path, code }) => {
      const isOurs = path.startsWith('src/accounts/') && !path.endsWith('.test.ts')
      return isOurs && /\brecord\(|\bchange\(|\.leave\(|\.hold\(|\.revoke\(/.test(code)
    })
    const exported = acting.flatMap(({ code }) =>
      [...code.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name!),
    )
    const done = new Set([...Object.values(actions).map(({ by }) => by), ...Object.keys(notDone)])
    assert.deepEqual(
      exported.filter((name) => !done.has(name) && !looks.has(name)),
      [],
      'give it lines in the table, or name it in `notDone` or in `looks`',
    )
    assert.deepEqual(
      [...done].filter((name) => !exported.includes(name)),
      [],
    )
  })

  test('each kind of answer that src/drift and src/segment tell apart is given in it', () => {
    const answersOf = (lines: readonly (readonly [string, Said | Partial<Partners>, ...unknown[]])[], of?: Endpoint) =>
      lines.flatMap(([, says]) => {
        const said = of === undefined ? (says as Said) : { ...well, ...(says as Partial<Partners>) }[of]
        return typeof said === 'function'
          ? [said({ method: 'POST', url: '', deadlineMs: 0, body: '"n":2' })]
          : [said].flat()
      }) as Answered[]
    const oauth = 'src/drift/oauth.ts'
    const kinds: [path: string, type: string, found: string[]][] = [
      ['src/segment/verdict.ts', 'Verdict', answersOf(segmentSays, 'batch').map((one) => judge(one, 0).is)],
      [
        'src/drift/conversation.ts',
        'ConversationAnswer',
        answersOf(lookupSays, 'lookup').map((one) => judgeConversation(one).is),
      ],
      [oauth, 'TokenAnswer', answersOf(grantSays).map((one) => judgeTokens(one).is)],
      [oauth, 'TokenInfo', answersOf(tokenSays).map((one) => judgeTokenInfo(one).is)],
      [oauth, 'Uninstalled', answersOf(endingSays).map((one) => judgeUninstall(one).is)],
      [
        'src/segment/verdict.ts',
        'Refusal',
        answersOf(segmentSays, 'batch').flatMap((one) => {
          const verdict = judge(one, 0)
          return verdict.is === 'held' ? [verdict.reason] : []
        }),
      ],
    ]
    for (const [path, type, found] of kinds)
      assert.deepEqual([...new Set(found)].sort(), [...choicesOf(path, type)].sort(), `the answers of ${type}`)
  })

  test('each thing that a person can be told is told in it', () => {
    const types = {
      'actions.ts': ['Done'],
      'retry.ts': ['Retried'],
      'change-key.ts': ['KeyChanged'],
      'connect-finish.ts': ['Unfinished', 'Finished'],
      'disconnect.ts': ['Left'],
    }
    for (const [file, names] of Object.entries(types))
      for (const type of names)
        for (const word of choicesOf(`src/accounts/${file}`, type))
          assert.ok(seen.told.has(word), `${type} of ${file} can be ${word}, and no line tells it`)
  })

  test('each act that src/accounts writes to an audit is in it', () => {
    const { bare } = fileAt('src/accounts/audit.ts')
    const acts = [...bare.matchAll(/^ {2}(\w+):\s+'([^\n]*)',$/gm)].map(([, act, text]) => ({ act: act!, text: text! }))
    const written = tree
      .filter(({ path }) => path.startsWith('src/accounts/') && !/audit\.ts$|\.test\.ts$/.test(path))
      .map(({ bare: text }) => text)
      .join('\n')
    const missing = acts.filter(({ act, text }) => written.includes(`'${act}'`) && !seen.audit.has(text))
    assert.deepEqual(
      missing.map(({ act }) => act),
      Object.keys(notActed),
    )
    assert.ok(acts.length > 20)
  })
})

describe('docs/states.md says what the table says', () => {
  const text = () => fileAt('docs/states.md').text

  test('the arrows that are drawn between the states of an account are those that it goes in the table', () => {
    const [, drawing = ''] = /\n## An install\n[\s\S]*?```mermaid\n([\s\S]*?)```/.exec(text()) ?? []
    const drawn = [...drawing.matchAll(/^ +(\S+) --> (\w+):/gm)].map(([, from, to]) => `${from} --> ${to}`)
    assert.deepEqual([...seen.arrows].sort(), drawn.sort())
  })

  test('what ends which reason is listed as src/accounts/needs-attention.ts has it', () => {
    const rows = (Object.keys(reliefs) as Relief[]).map((relief) => {
      const ended = Object.entries(accountReasons).filter(([, { endedBy }]) => endedBy.includes(relief))
      return `| ${reliefs[relief]} | ${ended.map(([reason]) => `\`${reason}\``).join(', ')} |`
    })
    const wanted = ['| when | this ends |', '| --- | --- |', ...rows].join('\n')
    assert.ok(text().includes(`\n${wanted}\n`), `docs/states.md should say:\n\n${wanted}`)
  })
})
