/**
 * Where each thing is done, and nowhere else: what reads the environment, asks a partner, changes an account, and so on. Each
 * law says what to do instead, and is seen to catch what breaks it. Which part may import which: imports.test.ts.
 */
import { settingsSchema } from '../../src/accounts/settings.ts'
import { type Complaint, law } from '../law.ts'
import { type File, importsOf, isProduct } from '../tree.ts'

/** Finds a pattern in the code of the product, but where it is at home. The bridge runs in browsers, with nothing. */
function atHome(home: readonly string[], pattern: RegExp, packages: readonly string[] = []) {
  return (files: readonly File[]): Complaint[] =>
    files
      .filter((file) => isProduct(file) && !home.includes(file.path) && !file.path.startsWith('packages/bridge/'))
      .flatMap((file) => {
        const { path } = file
        const imported = importsOf(file).filter(({ of, typesOnly }) => packages.includes(of) && !typesOnly)
        const found = imported[0]?.of ?? pattern.exec(file.code)?.[0]
        return found === undefined ? [] : [{ path, why: `has ${found}` }]
      })
}

/** Who puts texts together and seals them, which the store cannot: it has no keys. */
const sealing = ['src/pipeline/keep.ts', 'src/pipeline/texts.ts', 'src/pipeline/trim.ts']
const insides =
  /\b(?:NewBody|Marked|bodyTextsMax|sealTexts|sealRest|perBody|historyFrom)\b|\binbox\.(?:marked|rewrite|drop)\(/

law('only storage knows how entries are kept and ordered, and only what seals them knows their bodies', {
  judge: (files) =>
    files.flatMap((file): Complaint[] => {
      const { path } = file
      if (!isProduct(file) || !path.startsWith('src/') || path.startsWith('src/storage/')) return []
      const found = sealing.includes(path) ? undefined : insides.exec(file.code)?.[0]
      return found === undefined ? [] : [{ path, why: `has ${found}` }]
    }),
  instead:
    'ask a port for what you need, or seal and open texts by src/pipeline/texts.ts; add a method to the port where it is missing',
  breaks: [
    { 'src/operations/a.ts': 'for (const body of await inbox.marked(8)) await inbox.drop(body, why)' },
    { 'src/web/a.ts': "import type { NewBody } from '../storage/ports/entry.ts'" },
    { 'src/pipeline/hand.ts': 'const isHistory = place >= historyFrom' },
  ],
  keeps: [
    { 'src/pipeline/trim.ts': 'const bodies = await inbox.marked(8)' },
    { 'src/storage/sqlite/a.ts': 'const first = place * perBody' },
    { 'src/operations/a.ts': 'const text = await textsOf(keyring, bodies).of(entry)' },
  ],
})

law('the environment is read in config.ts alone', {
  judge: atHome(['src/config.ts'], /\bprocess\.env\b/),
  instead: 'add the setting to config.ts, and hand its value in',
  breaks: [{ 'src/web/a.ts': 'const port = process.env.PORT' }],
  keeps: [{ 'src/web/a.ts': "// process.env\nconst told = 'process.env'" }],
})

law('time comes from lib/clock.ts alone', {
  judge: atHome(
    ['src/lib/clock.ts'],
    /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bhrtime\b|\bset(Timeout|Interval)\b|AbortSignal\.timeout/,
    ['node:timers', 'node:timers/promises'],
  ),
  instead: 'take a Clock as a parameter: now(), monotonic(), after(); pause() waits',
  breaks: [
    { 'src/lib/a.ts': 'const now = Date.now()' },
    { 'src/lib/a.ts': 'const now = new Date( )' },
    { 'src/sim/a.ts': "import { setTimeout } from 'node:timers/promises'" },
  ],
  keeps: [{ 'src/lib/a.ts': 'new Date(at).toISOString()' }],
})

law('randomness comes from lib/random.ts alone', {
  judge: atHome(['src/lib/random.ts'], /\bMath\.random\b|\brandom(Bytes|UUID|Int|Fill)\w*\b|\bgetRandomValues\b/),
  instead: 'take a Random as a parameter: bytes(), fraction(); timeOrderedId() makes ids',
  breaks: [{ 'src/lib/backoff.ts': 'const jitter = Math.random()' }, { 'src/web/a.ts': 'crypto.randomUUID()' }],
})

law('requests go out through lib/request.ts, to addresses that customers give through lib/public-request.ts, alone', {
  judge: atHome(
    ['src/lib/request.ts', 'src/lib/public-request.ts', 'src/lib/public-address.ts', 'src/alerts/mail.ts'],
    /(?<![\w.])fetch\s*\(|\bhttps?\.(request|get)\b|\bnew (WebSocket|EventSource)\b/,
    ['undici', 'node:https', 'node:http2', 'node:net', 'node:tls', 'node:dgram', 'node:dns', 'nodemailer'],
  ),
  instead: 'take a Send as a parameter: it has a deadline, a limit, follows no redirect, and answers with a value',
  breaks: [{ 'src/drift/a.ts': 'await fetch(url)' }, { 'src/drift/a.ts': "import { request } from 'node:https'" }],
  keeps: [{ 'src/web/a.ts': "import type { AddressInfo } from 'node:net'\ncache.fetch(key)" }],
})

/** A function that makes a request is known by its name, which ends so. */
const makesRequest = /\b(?!is|handle)[a-z]\w*Request\s*\(/

function asks(partner: 'drift' | 'segment', callers: readonly string[]) {
  return (files: readonly File[]): Complaint[] =>
    files
      .filter((file) => isProduct(file) && !callers.includes(file.path) && !file.path.startsWith(`src/${partner}/`))
      .filter((file) => importsOf(file).some(({ of, typesOnly }) => of.startsWith(`src/${partner}/`) && !typesOnly))
      .flatMap(({ path, code }) => {
        const found = makesRequest.exec(code)?.[0]
        return found === undefined ? [] : [{ path, why: `makes ${found}` }]
      })
}

const drift = [
  'src/accounts/connect-finish.ts',
  'src/accounts/grant.ts',
  'src/accounts/disconnect.ts',
  'src/pipeline/lookup-lane.ts',
  'src/pipeline/contacts.ts',
  'src/operations/history/ask.ts',
]
law('Drift is asked by an install, by what keeps its grant, by its end, by look-ups and by history alone', {
  judge: asks('drift', drift),
  instead: `what asks Drift of an account is one of ${drift.join(', ')}: they bound how often, and judge the answer`,
  breaks: [
    {
      'src/web/a.ts': "import { tokenInfoRequest } from '../drift/oauth.ts'\nawait send(tokenInfoRequest(url, token))",
    },
  ],
  keeps: [
    {
      'src/accounts/grant.ts':
        "import { refreshRequest } from '../drift/oauth.ts'\nsend(refreshRequest(url, app, token))",
    },
    { 'src/web/a.ts': "import { orgIdOf } from '../drift/envelope.ts'\nread(request)" },
  ],
})

const segment = ['src/pipeline/attempt.ts', 'src/accounts/change-key.ts']
law('Segment is sent to by the send lane, and by the test of a write key, alone', {
  judge: asks('segment', segment),
  instead: 'events go through the send lane: it keeps their order, their messageIds and what became of each',
  breaks: [{ 'src/web/a.ts': "import { batchRequest } from '../segment/batch.ts'\nsend(batchRequest(url, key, []))" }],
  keeps: [
    {
      'src/pipeline/attempt.ts': "import { batchRequest } from '../segment/batch.ts'\nsend(batchRequest(url, key, []))",
    },
  ],
})

law('servers are made in web/http/server.ts and sim/server.ts alone', {
  judge: atHome(['src/web/http/server.ts', 'src/sim/server.ts'], /\bcreate(Secure)?Server\b/),
  instead: 'use listen(): it has the limits that a listener needs',
  breaks: [{ 'src/web/metrics.ts': "import { createServer } from 'node:http'" }],
})

/**
 * Finds a pattern in the code of the product, but in its home (a folder with a slash at the end, or a file) and in the
 * storage engines, which pass a call on to their own records.
 */
function outside(home: string, pattern: RegExp) {
  const isHome = (path: string) => path === home || (home.endsWith('/') && path.startsWith(home))
  const isOfEngine = (path: string) => /^src\/storage\/(?!ports\/)\w+\//.test(path)
  return (files: readonly File[]): Complaint[] =>
    files
      .filter((file) => isProduct(file) && !isHome(file.path) && !isOfEngine(file.path))
      .flatMap(({ path, code }) => {
        const found = pattern.exec(code)?.[0]
        return found === undefined ? [] : [{ path, why: `has ${found}` }]
      })
}

law('an account is changed in src/accounts alone, where each change is recorded in its audit', {
  judge: outside('src/accounts/', /\baccounts\.change\b|\binstalls\.save\b|\bchange\b[^=;]*\} = (\w+\.)*accounts\b/),
  instead: 'call an action of src/accounts: actions.ts lists them; a new one goes there',
  breaks: [
    { 'src/web/console/a.ts': 'await accounts.change(org, now, edit)' },
    { 'src/cli/a.ts': 'await store.accounts.change(org, now, edit)' },
    { 'src/service.ts': 'const { change } = store.accounts' },
    { 'src/pipeline/a.ts': 'await storage.installs.save(install)' },
    { 'src/storage/copy.ts': 'await storage.installs.save(install)' },
  ],
  keeps: [
    { 'src/accounts/a.ts': 'await accounts.change(org, now, edit)' },
    { 'src/storage/another/a.ts': 'await records.installs.save(install)' },
  ],
})

law('the audit is written in src/accounts/audit.ts alone', {
  judge: outside('src/accounts/audit.ts', /\baudit\.add\b/),
  instead: 'hand the entry to accounts.change() with the change, or call record(); its words are in the table of acts',
  breaks: [{ 'src/accounts/a.ts': 'await audit.add(entry)' }, { 'src/web/a.ts': 'await storage.audit.add(entry)' }],
})

/** An engine knows destinations by their numbers, and nothing else of them. */
const ofSettings = Object.keys(settingsSchema.shape).filter((name) => name !== 'destinations')
const options = [...ofSettings, 'region', 'endpoint'].map(
  (name) => `${name}|${name.replace(/[A-Z]/g, (one) => `_${one}`)}`,
)
const namesOption = new RegExp(`\\b(${options.join('|')})\\b`, 'i')

law('no storage engine knows an option of an account', {
  judge: (files) =>
    files
      .filter((file) => isProduct(file) && file.path.startsWith('src/storage/'))
      .flatMap(({ path, bare }) =>
        namesOption.test(bare) ? [{ path, why: `has ${namesOption.exec(bare)![0]}` }] : [],
      ),
  instead: 'keep it in the text `settings`, which src/accounts/settings.ts reads',
  breaks: [
    { 'src/storage/sqlite/a.ts': "db.run('UPDATE installs SET off_types = ?')" },
    { 'src/storage/ports/accounts.ts': 'export interface Install {\n  region: string\n}' },
  ],
  keeps: [
    { 'src/storage/ports/accounts.ts': '/** Not the region. */\nexport interface Install {\n  settings: string\n}' },
  ],
})

law('JSON is read in lib/json.ts alone', {
  judge: atHome(['src/lib/json.ts'], /\bJSON\.parse\b|\.json\(\s*\)/),
  instead: 'use readText(): no digit is lost, no key is there twice, and nothing is thrown',
  except: {
    'src/lib/json-build.ts': 'one string of a text that the reader has judged',
    'src/accounts/grant.ts': 'a grant that was sealed here: no other program can have written it',
    'src/storage/resent.ts': 'what was chosen for sending again, in a row that we wrote',
    'src/segment/call.ts': 'the version in our own package.json',
    'src/web/bridge.ts': 'what our own build says of the bridge',
    'src/sim/expected.ts': 'a copy of a value, by way of its text',
  },
  breaks: [{ 'src/drift/a.ts': 'const body = JSON.parse(text)' }],
})

law('what people read is printed by the command line, the rest goes to the log', {
  judge: atHome(['src/main.ts', 'src/cli/index.ts'], /\bconsole\.|\bprocess\.std(out|err)\b/),
  instead: 'a command has context.print and context.remark; everything else takes a Log',
  breaks: [{ 'src/web/a.ts': "console.log('here')" }],
})

law('a person who meets an error gets a Problem with a code in snake_case', {
  judge: (files) =>
    files
      .filter((file) => isProduct(file) && !file.path.startsWith('src/sim/'))
      .flatMap(({ path, bare, code }) => {
        const problems = [...code.matchAll(/\bnew Problem\(\s*/g)].map(
          ({ 0: { length }, index }) => bare.slice(index + length).split('\n', 1)[0]!,
        )
        const odd = problems.filter((argument) => !/^('[a-z]+(_[a-z0-9]+)+'|(\w+\.)*code(Of\()?\b)/.test(argument))
        const plain = /\bthrow new Error\(|\breject\(new Error\(/.test(code) ? ['an Error without a code'] : []
        return [...odd, ...plain].map((what) => ({ path, why: `makes ${what}` }))
      }),
  instead: "new Problem('what_is_wrong', message, { hint }), with a line in docs/errors.md",
  except: {
    'src/events/index.ts': 'tells the author of a page what is missing, while they write it',
    'src/events/fixtures.ts': 'tells the author of a fixture the same',
  },
  breaks: [
    { 'src/lib/a.ts': "throw new Problem('Bad Thing', 'it is bad')" },
    { 'src/lib/a.ts': 'throw new Problem(message)' },
    { 'src/lib/a.ts': "throw new Error('it is bad')" },
  ],
  keeps: [
    { 'src/lib/a.ts': "throw new Problem(\n  'thing_bad',\n  'it is bad')" },
    {
      'src/lib/a.ts':
        '// passed on from another thread\nreturn new Problem(told.code, message)\nnew Problem(codeOf(error), message)',
    },
  ],
})
