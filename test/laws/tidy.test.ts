/** The laws of files, whatever part they belong to. Each says what to do instead, and is seen to catch what breaks it. */
import { disconnectType } from '../../src/drift/envelope.ts'
import { catalogue } from '../../src/events/index.ts'
import { type Complaint, law } from '../law.ts'
import { importsOf, isProduct, isTest } from '../tree.ts'

law('files are named for what they are', {
  judge: (files) =>
    files
      .filter(({ path }) => /^(src|packages|test|torture|build|bench|runtime|bin)\//.test(path))
      .filter(({ path }) =>
        /[/_-](utils?|helpers?|common|managers?|services?|processors?|handlers?|misc)[./_-]/.test(path),
      )
      // What it builds is the service: here the name says all.
      .filter(({ path }) => path !== 'src/service.ts')
      .map(({ path }) => ({ path, why: 'has a name that says nothing' })),
  instead: 'name the thing or the action: clock, seal, settle',
  breaks: [{ 'src/lib/string-utils.ts': '' }, { 'src/helpers/a.ts': '' }, { 'src/web/webhook_handler.ts': '' }],
  keeps: [{ 'src/lib/utility-rate.ts': '' }],
})

law("nothing but src/events names one of Drift's events", {
  judge(files) {
    const event = new RegExp(`\\b(${[...catalogue.keys()].join('|')})\\b`)
    const leaving = new RegExp(`\\b${disconnectType}\\b`)
    return files
      .filter((file) => isProduct(file) && !/^(src\/(events|sim)|packages\/bridge)\//.test(file.path))
      .flatMap(({ path, bare, strings }): Complaint[] => {
        // A command line to be copied has to name one.
        const examples = strings.filter((said) => said.startsWith('npx drift-segment-source '))
        const rest = examples.reduce((text, example) => text.replace(example, ''), bare)
        const named = event.exec(rest) ?? (path === 'src/drift/envelope.ts' ? null : leaving.exec(rest))
        return named ? [{ path, why: `names ${named[0]}` }] : []
      })
  },
  instead: "say it on the event's page and ask the page; app_disconnected is disconnectType of drift/envelope.ts",
  breaks: [
    { 'src/pipeline/a.ts': "if (type === 'new_meeting') return" },
    { 'src/pipeline/a.ts': "if (type === 'app_disconnected') return" },
    { 'src/cli/a.ts': "const sample = 'new_meeting'\nconst examples = ['npx drift-segment-source send new_meeting']" },
  ],
  keeps: [
    { 'src/pipeline/a.ts': '// as new_meeting does' },
    { 'src/cli/a.ts': "const examples = ['npx drift-segment-source send new_meeting']" },
    { 'src/drift/envelope.ts': "export const disconnectType = 'app_disconnected'" },
  ],
})

/** Put together, so that this file speaks of none. */
const somewhere = ['', 'home', 'a-person'].join('/')

law('the project speaks of itself alone: no path of a machine, no registry, no paper that is not in the tree', {
  judge: (files) =>
    files.flatMap(({ path, text }) => {
      const found =
        /(?<![\w.])\/(home\/(?!node\b)|Users\/|root\/|work\/|mnt\/)[\w.-]+|[A-Z]:\\+Users\\/.exec(text) ??
        /https?:\/\/[\w.-]*registry\.[\w.-]+/i.exec(text) ??
        /\b(house|contrac[t]|brief)\.md\b/i.exec(text) ??
        // A licence has the word, and decisions are records of their time.
        (/(^|\/)LICENSE$|^docs\/decisions\//.test(path) ? null : /\bcontrac[t]\b/i.exec(text))
      return found ? [{ path, why: `speaks of ${found[0]}` }] : []
    }),
  instead: 'name a path from the project, a setting, or a document of docs; say the limit itself',
  breaks: [
    { 'README.md': `see ${somewhere}/notes` },
    { '.npmrc': `registry=https://${'registry'}.npmjs.org` },
    { 'src/a.ts': `/** ${'Contr'}act: at most fifteen minutes. */` },
  ],
  keeps: [
    { 'README.md': `https://example.com/${'home'}/page and \`/webhooks/drift\`` },
    { LICENSE: `an action of ${'contr'}act` },
  ],
})

/** A test that is left out, or alone in its file, without a sentence of why. */
const unsaid = [
  /\b(test|it|describe|suite)\.(only|skip|todo)\b/,
  /\b(only|skip|todo):\s*true\b/,
  /\bskip:\s*!?[\w.]+\s*[!=]==\s*'[^']*'\s*[,}]/,
  /\.skip\(\s*\)/,
]

law('every test runs, or says why it does not', {
  judge: (files) =>
    files.filter(isTest).flatMap(({ path, code }) => {
      const found = unsaid.flatMap((pattern) => pattern.exec(code)?.[0] ?? [])
      return found.map((text) => ({ path, why: `has ${text}` }))
    }),
  instead: "{ skip: 'the reason' }, where the reason is one of the machine's",
  breaks: [
    { 'test/a.test.ts': "test.only('a', () => {})" },
    { 'test/a.test.ts': "test('a', { skip: true }, () => {})" },
    { 'test/a.test.ts': "test('a', { skip: process.platform === 'win32' }, () => {})" },
    { 'src/lib/a.test.ts': "test('a', (t) => t.skip())" },
  ],
  keeps: [{ 'test/a.test.ts': "test('a', { skip: process.platform === 'win32' && 'no signals there' }, () => {})" }],
})

law('the title of a test is a sentence without a label', {
  judge: (files) =>
    files.filter(isTest).flatMap(({ path, bare }) => {
      const found = /['"`][A-Z]\d{2} /.exec(bare)
      return found ? [{ path, why: `has the label ${found[0].slice(1)}` }] : []
    }),
  instead: 'say what is right, so that the title is understood in a list of failures',
  breaks: [{ 'test/a.test.ts': `test('${'W'}09 OPTIONS', () => {})` }],
})

law('tests do not sleep', {
  judge: (files) =>
    files
      .filter((file) => isTest(file) && file.path !== 'test/clock.ts')
      .filter((file) => {
        const imported = importsOf(file).some(({ of }) => of.startsWith('node:timers'))
        return imported || /\bset(Timeout|Interval)\(/.test(file.code)
      })
      .map(({ path }) => ({ path, why: 'waits for time to pass' })),
  instead: 'wait for what is to happen: eventually() of test/clock.ts, or an event; turn a manual clock',
  except: {
    'src/lib/request.test.ts': 'a server that drips, so that a deadline is met',
    'test/storage/child.ts': 'a process that stays until it is killed',
    'test/over.ts': 'bounds how long a file that is over may stay open',
    'test/delivery/crash.test.ts': 'kills at any moment, that is its point',
    'test/rig.ts': 'asks the store again until it has settled',
    'torture/': 'strikes at any moment, and real time passes while it does',
  },
  breaks: [{ 'test/a.test.ts': 'await new Promise((done) => setTimeout(done, 50))' }],
})

law('what a test, the torture or the bench starts ends with it', {
  judge: (files) =>
    files
      .filter((file) => isTest(file) || file.path.startsWith('bench/'))
      .flatMap(({ path, code }) => {
        const found = /(?<![.\w])(spawn|fork|exec|execFile)\(/.exec(code)
        return found ? [{ path, why: `starts a process with ${found[1]}` }] : []
      }),
  instead: 'startChild() of test/children.ts; spawnSync where the test waits for the end anyway',
  except: { 'test/children.ts': 'the place for it' },
  breaks: [
    { 'test/a.test.ts': "spawn('sleep', ['1000'])" },
    { 'bench/a.ts': 'const child = fork(path)' },
    { 'src/lib/a.test.ts': "await promisify(execFile)('id'); execFile('id', done)" },
  ],
  keeps: [{ 'test/a.test.ts': "startChild('id', [], {}); spawnSync('id'); /a/.exec(text); const told = 'spawn()'" }],
})
