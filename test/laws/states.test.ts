/** What docs/states.md says of an account is what src/accounts does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountReasons, type Relief, reliefs } from '../../src/accounts/reasons.ts'
import { noSettings } from '../../src/accounts/settings.ts'
import * as state from '../../src/accounts/state.ts'
import type { Install } from '../../src/storage/ports.ts'
import { readTree } from '../tree.ts'

const page = readTree().find(({ path }) => path === 'docs/states.md')!.text

const fresh: Install = {
  org: '1',
  state: 'waiting_for_key',
  settings: noSettings,
  createdAt: 0,
  updatedAt: 0,
  generation: 0,
}
const key = { writeKey: Buffer.from('a key') }
const known = { ...fresh, generation: 1 }

/** Each account that there can be: only one with a write key sends, or is refused. */
const accounts: readonly Install[] = [
  known,
  { ...known, state: 'paused' },
  { ...known, state: 'disconnected' },
  { ...known, ...key, state: 'paused' },
  ...Object.keys(accountReasons).flatMap((reason): Install[] => [
    { ...known, ...key, state: 'live' },
    { ...known, ...key, state: 'needs_attention', reason },
  ]),
  ...[state.leaving, state.unproven].flatMap((reason): Install[] => [
    { ...known, reason },
    { ...known, ...key, state: 'live', reason },
    { ...known, ...key, state: 'paused', reason },
  ]),
]

const moves: readonly ((install: Install) => Install | undefined)[] = [
  state.questioned,
  state.doubted,
  state.confirmed,
  state.paused,
  state.resumed,
  (install) => state.troubled(install, 'segment_401'),
  (install) => state.accepted(install, 'delivered'),
  (install) => state.accepted(install, 'lookup'),
  (install) => (state.isThere(install) ? state.keyChanged({ ...install, ...key }) : undefined),
  state.connected,
  (install) => state.configured(install, false),
  (install) => state.configured(install, true),
  (install) => state.configured({ ...install, ...key }, false),
  state.gone,
  (install) => (state.isThere(install) ? state.grantDied(install) : undefined),
  state.grantRenewed,
]

test('the arrows that are drawn between the states of an account are those that src/accounts/state.ts goes', () => {
  const [, drawing = ''] = /\n## An install\n[\s\S]*?```mermaid\n([\s\S]*?)```/.exec(page) ?? []
  const drawn = [...drawing.matchAll(/^ +(\S+) --> (\w+):/gm)].map(([, before, after]) => `${before} --> ${after}`)
  const gone = new Set<string>()
  for (const move of moves)
    for (const install of [fresh, ...accounts]) {
      const isNew = install.generation === 0
      // Only these two make an account.
      const after =
        isNew && move !== state.connected && !String(move).includes('configured') ? undefined : move(install)
      if (after && (isNew || after.state !== install.state))
        gone.add(`${isNew ? '[*]' : install.state} --> ${after.state}`)
    }
  assert.deepEqual([...gone].sort(), drawn.sort())
})

test('what ends which reason is listed in the page as the table of reasons has it', () => {
  const rows = (Object.keys(reliefs) as Relief[]).map((relief) => {
    const ended = Object.entries(accountReasons).filter(([, { endedBy }]) => endedBy.includes(relief))
    return `| ${reliefs[relief]} | ${ended.map(([reason]) => `\`${reason}\``).join(', ')} |`
  })
  const wanted = ['| when | this ends |', '| --- | --- |', ...rows].join('\n')
  assert.ok(page.includes(`\n${wanted}\n`), `docs/states.md should say:\n\n${wanted}`)
})
