/** The map of the tree: which part of it may import which others. */
import { type Complaint, law } from '../law.ts'
import { type Import, importsOf, isProduct } from '../tree.ts'

/**
 * What each part of src, and each package, may import beside itself: a folder, a single file, or the types alone of either. A star is any
 * engine. What is not here is not on the map.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  'packages/bridge': [],
  settings: ['lib', 'drift', 'segment'],
  config: ['lib', 'settings'],
  drift: ['lib'],
  segment: ['lib'],
  events: ['lib', 'segment', 'types of drift'],
  mapping: ['lib', 'segment', 'events'],
  'storage/ports': [],
  storage: ['lib', 'storage/ports'],
  'storage/*': ['lib', 'storage', 'storage/ports'],
  'storage/open': ['lib', 'storage', 'storage/ports', 'storage/*'],
  accounts: ['lib', 'drift', 'segment', 'events', 'mapping', 'storage/ports'],
  pipeline: ['lib', 'drift', 'segment', 'events', 'mapping', 'storage/ports', 'accounts'],
  operations: ['lib', 'drift', 'segment', 'events', 'mapping', 'storage/ports', 'accounts', 'pipeline'],
  alerts: ['lib', 'drift', 'storage/ports', 'accounts', 'operations'],
  web: 'lib drift segment events mapping storage/ports accounts pipeline operations alerts packages/bridge'
    .split(' ')
    .concat('types of config'),
  cli: 'lib drift segment events mapping storage/ports accounts pipeline operations alerts config sim web/snippet'
    .split(' ')
    .concat('types of service'),
  sim: ['lib', 'drift', 'segment', 'events', 'packages/bridge'],
  service: 'lib drift segment events storage/ports storage/open accounts pipeline operations alerts config web'.split(
    ' ',
  ),
  main: ['cli', 'service', 'storage/open'],
}

/** The part of src that a path belongs to: `config`, `lib`, `storage/open`, `storage/sqlite`; or its package. */
function partOf(path: string): string {
  const ofPackage = /^packages\/[\w-]+/.exec(path)
  if (ofPackage) return ofPackage[0]
  const name = path.slice('src/'.length).replace(/\.\w+$/, '')
  return name in mayImport ? name : /^storage\/\w+(?=\/)|^[\w-]*/.exec(name)![0]
}

/** What a part is called in the table: an engine by the star. */
function inTable(part: string): string {
  return part in mayImport ? part : part.replace(/^storage\/.*/, 'storage/*')
}

function goesWrong(from: string, { of, typesOnly }: Import): boolean {
  if (!/^(src|packages)\//.test(of)) return /^(test|torture|bench|runtime|bin)\//.test(of)
  const part = partOf(of)
  const allowed = mayImport[inTable(partOf(from))] ?? []
  const may = (name: string) => allowed.includes(name) || (typesOnly && allowed.includes(`types of ${name}`))
  return part !== partOf(from) && !may(inTable(part)) && !may(of.slice('src/'.length, -'.ts'.length))
}

law('imports point one way', {
  judge: (files) =>
    files.filter(isProduct).flatMap((file): Complaint[] => {
      const { path } = file
      if (!(inTable(partOf(path)) in mayImport)) return [{ path, why: `${partOf(path)} is not on the map` }]
      const wrong = importsOf(file).filter((one) => goesWrong(path, one))
      return wrong.map(({ of }) => ({ path, why: `imports ${of}` }))
    }),
  instead:
    'hand it in from service.ts, or move what both need to where both may look; a new folder goes on the map above',
  breaks: [
    { 'src/lib/a.ts': "import { b } from '../drift/b.ts'" },
    { 'src/drift/a.ts': "import type { B } from '../segment/b.ts'" },
    { 'src/events/a.ts': "import { type B, c } from '../drift/b.ts'" },
    { 'src/pipeline/a.ts': "const { open } = await import('../storage/sqlite/open.ts')" },
    { 'src/web/a.ts': "export * from '../storage/open.ts'" },
    { 'src/storage/sqlite/a.ts': "import '../memory/b.ts'" },
    { 'src/storage/query.ts': "import b from './sqlite/b.ts'" },
    { 'src/accounts/a.ts': "import {\n  type B,\n  c,\n} from '../pipeline/b.ts'" },
    { 'src/pipeline/a.ts': "import { b } from '../operations/b.ts'" },
    { 'src/web/a.ts': "new URL('../sim/page.html', import.meta.url)" },
    { 'src/cli/a.ts': "import { openService } from '../service.ts'" },
    { 'src/lib/a.ts': "import { eventually } from '../../test/clock.ts'" },
    { 'src/lib/a.ts': "import { bentClock } from '../../torture/clock.ts'" },
    { 'src/tools/a.ts': '' },
    { 'packages/bridge/src/a.ts': "import { b } from '../../../src/lib/b.ts'" },
    { 'src/pipeline/a.ts': "import { b } from '../../packages/bridge/src/b.ts'" },
  ],
  keeps: [
    { 'src/events/a.ts': "import type { B } from '../drift/b.ts'\nimport { type C } from '../drift/c.ts'" },
    {
      'src/storage/sqlite/a.ts':
        "import { Problem } from '../../lib/errors.ts'\nimport '../ports/inbox.ts'\nimport './b.ts'",
    },
    { 'src/storage/open.ts': "import('./sqlite/open.ts')" },
    { 'src/cli/a.ts': "import type { Service } from '../service.ts'" },
    { 'src/lib/a.ts': "// import { b } from '../drift/b.ts'\nconst told = `import '../drift/b.ts'`" },
    { 'src/lib/a.test.ts': "import { b } from '../drift/b.ts'" },
  ],
})
