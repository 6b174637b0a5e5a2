// biome-ignore-all lint/style/noExcessiveLinesPerFile: one list of what documents repeat, and of what they may leave out.
/**
 * What a document repeats of the code, the code decides. Tables between two marks are made from it: after a change,
 * `WRITE_DOCS=1 npm test -- test/laws/docs.test.ts` writes them again.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, test } from 'node:test'
import { type WidgetEvent, widgetEvents } from '../../packages/bridge/src/index.ts'
import { accountReasons, reliefs } from '../../src/accounts/needs-attention.ts'
import type { Command } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/index.ts'
import { disconnectType } from '../../src/drift/envelope.ts'
import { catalogue } from '../../src/events/index.ts'
import { printCatalogue } from '../../src/events/print.ts'
import { attemptErrors, ofEvents, ofIgnored, ofWithout } from '../../src/operations/reasons.ts'
import { type Name, type Setting, settingNames, settings } from '../../src/settings/table.ts'
import { bridgeScript } from '../../src/web/bridge.ts'
import { snippet } from '../../src/web/snippet.ts'
import { ruleHead, ruleRows } from '../rule-table.ts'
import { optionTable, reasonTable, tableOf } from '../tables.ts'
import { type File, isProduct, readTree } from '../tree.ts'
import { noReasons } from './docs-words.ts'

const tree = readTree()
const ofAccounts = Object.fromEntries(
  Object.entries(accountReasons).map(([word, row]) => [word, [row.means, row.todo]]),
)
const documents = tree.filter(({ path }) => path.endsWith('.md'))
const product = tree.filter(isProduct)
const { bytes } = bridgeScript

const commandRows = () => runnable(commands).map(({ name, summary }) => [`\`${name}\``, summary])

describe('a table that repeats the code says what the code says', () => {
  const tables: [path: string, mark: string, made: () => string][] = [
    ['README.md', 'events', () => printCatalogue(catalogue, 'table')],
    ['README.md', 'settings', () => tableOf(['name', 'meaning', 'default'], settingNames.map(settingRow))],
    ['README.md', 'commands', () => tableOf(['`npx drift-segment-source …`', 'does'], commandRows())],
    [
      'docs/drift-app.md',
      'subscribed',
      () => `   ${[...catalogue.keys(), disconnectType].map((type) => `\`${type}\``).join(', ')}`,
    ],
    ['docs/errors.md', 'holds', () => reasonTable(ofAccounts)],
    ['docs/errors.md', 'reasons', () => reasonTable(ofEvents)],
    ['docs/errors.md', 'ignored', () => reasonTable(ofIgnored)],
    ['docs/errors.md', 'without', () => reasonTable(ofWithout)],
    ['docs/errors.md', 'attempt errors', () => reasonTable(attemptErrors)],
    ['docs/mapping.md', 'options', optionTable],
    ['docs/alerts.md', 'rules', () => tableOf(ruleHead, ruleRows)],
    ['docs/bridge.md', 'size', () => `${bytes.minified} bytes minified, ${bytes.gzip} with gzip.`],
    ['docs/bridge.md', 'starter', () => `\`\`\`html\n${snippet({ url: 'https://events.example.com' })}\n\`\`\``],
    ['docs/bridge.md', 'options', () => tableOf(['attribute', 'option', 'meaning'], bridgeOptions())],
    ['docs/bridge.md', 'events', () => tableOf(['event', 'properties', 'who'], widgetEvents.map(widgetEventRow))],
  ]
  for (const [path, mark, made] of tables) {
    test(`${path}: ${mark}`, () => {
      const url = new URL(`../../${path}`, import.meta.url)
      const marked = new RegExp(`( *<!-- ${mark}\\b.*-->\n)([\\s\\S]*?)( *<!-- /${mark} -->)`)
      const wanted = `${made()}\n`
      const text = readFileSync(url, 'utf8')
      if (process.env.WRITE_DOCS) {
        writeFileSync(
          url,
          text.replace(marked, (_, start, __, end) => start + wanted + end),
        )
      } else assert.equal(marked.exec(text)?.[2], wanted, `${path} should say:\n\n${wanted}`)
    })
  }
})

const neededWords = {
  always: 'needed',
  serve: 'needed',
  oauth: 'needed, unless DRIFT_ORG_ID is set',
  single: 'needed with DRIFT_ORG_ID',
  mail: 'needed with SMTP_URL',
} as const

function settingRow(name: Name): string[] {
  const { meaning, default: value, defaultWords, needed, inFile }: Setting = settings[name]
  const also = inFile ? `, or \`${name}_FILE\`` : ''
  const words = defaultWords ?? (needed ? neededWords[needed] : '')
  return [`\`${name}\`${also}`, meaning, value === undefined ? words : `\`${value}\``]
}

/** The options of the bridge, as their own docstrings say it. */
function bridgeOptions(): string[][] {
  const { text } = tree.find(({ path }) => path === 'packages/bridge/src/options.ts')!
  const [, fields = ''] = /export interface BridgeOptions \{\n([\s\S]*?)\n\}/.exec(text)!
  const documented = [...fields.matchAll(/\/\*\*[\s*]*([\s\S]*?)\s*\*\/\s*(\w+)\?: (.+)/g)]
  assert.equal(documented.length, fields.match(/\?: /g)!.length, 'each has a docstring')
  return documented.map(([, said = '', name = '', type]) => {
    const attribute = `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    const meaning = said.replace(/\s*\n\s*\*\s*/g, ' ').replaceAll('|', '\\|')
    const isTag = /^('|boolean|string|Consent|readonly string)/.test(type!)
    return [isTag ? `\`${attribute}\`` : '', `\`${name}\``, meaning]
  })
}

/** Its properties, each with the field of the widget where that has another name. */
function widgetEventRow({ name, contact, properties }: WidgetEvent): string[] {
  const carried = properties.map(({ property, field, of }) => {
    const from = of === undefined ? field : `${of}.${field}`
    return from === property ? `\`${property}\`` : `\`${property}\` (\`${from}\`)`
  })
  return [`\`${name}\``, carried.join(' '), contact === undefined ? '' : 'names the contact']
}

/** Every command that does something, under its whole name. */
function runnable(all: readonly Command[], prefix = ''): { name: string; summary: string; command: Command }[] {
  return all.flatMap((command) => {
    const name = prefix + command.name
    const itself = command.run ? [{ name, summary: command.summary, command }] : []
    return [...itself, ...runnable(command.commands ?? [], `${name} `)]
  })
}

describe('docs/errors.md knows every word that a person can meet, and no other', () => {
  const text = documents.find(({ path }) => path === 'docs/errors.md')!.text
  /** The first column of the tables under a heading. */
  const documented = (heading: string) => {
    const [, section = ''] = text.split(`\n## ${heading}\n`)
    const rows = section.split('\n## ', 1)[0]!.matchAll(/^\| `([^`]+)` \|/gm)
    return [...rows].map(([, code]) => code!).sort()
  }
  const inCode = (files: readonly File[], ...patterns: RegExp[]) =>
    [
      ...new Set(
        patterns.flatMap((one) => files.flatMap(({ bare }) => [...bare.matchAll(one)].map(([, word]) => word!))),
      ),
    ].sort()

  test('the codes of problems', () => {
    assert.deepEqual(documented('When a command or the start fails'), inCode(product, /\bnew Problem\(\s*'(\w+)'/g))
  })

  test('the answers of the listener', () => {
    const web = product.filter(({ path }) => path.startsWith('src/web/'))
    const answers = inCode(web, /\berror: '(\w+)'/g, /\brefuse\(\w+, \d+, '(\w+)'/g)
    assert.deepEqual(documented('What the listener answers'), answers)
  })

  test('the events of the log', () => {
    assert.deepEqual(documented('What the log says'), inCode(product, /\blog\.(?:debug|info|warn|error)\(\s*'(\w+)'/g))
  })

  const reasons = { ...accountReasons, ...ofEvents, ...ofIgnored, ...ofWithout, ...attemptErrors }
  /** What is known of partners and decides what becomes of an event. */
  const deciding = product.filter(
    ({ path }) =>
      /^src\/(drift|segment|mapping|pipeline|accounts|operations|lib)\//.test(path) && !path.endsWith('/reasons.ts'),
  )
  const templates = inCode(deciding, /`(\w+_)\$\{[^}]*[sS]tatus\}`/g).map((prefix) => `${prefix}<status>`)

  test('the reasons: each that the code gives is explained', () => {
    const given = inCode(deciding, /\breason: '(\w+)'/g)
    const worded = deciding.flatMap(({ strings }) => strings.filter((said) => /^[a-z]+(_[a-z0-9]+)+$/.test(said)))
    const logged = documented('What the log says')
    const unexplained = [...new Set([...given, ...worded, ...templates])].filter(
      (word) => !(word in reasons || word in reliefs || word in noReasons || logged.includes(word)),
    )
    assert.deepEqual(
      unexplained,
      [],
      'explain them in src/accounts/needs-attention.ts or src/operations/reasons.ts, or say in noReasons what they are',
    )
  })

  test('the reasons: each that is explained is given by the code', () => {
    const said = new Set(deciding.flatMap(({ strings }) => strings))
    const isGiven = (reason: string) =>
      said.has(reason) || reason === '<CODE>' || templates.includes(reason.replace(/\d+$/, '<status>'))
    assert.deepEqual(
      Object.keys(reasons).filter((reason) => !isGiven(reason)),
      [],
    )
    const idle = Object.keys(noReasons).filter((word) => !said.has(word))
    assert.deepEqual(idle, [], 'these are not in the code any more')
  })
})

describe('what documents point at is there', () => {
  const exists = (path: string) =>
    tree.some((file) => file.path === path || file.path.startsWith(`${path.replace(/\/$/, '')}/`)) ||
    // Pictures are not text, so they are not read with the tree.
    (path.endsWith('.png') && existsSync(new URL(`../../${path}`, import.meta.url)))
  const prose = documents.map(({ path, text }) => ({ path, text, unfenced: text.replace(/^```[\s\S]*?^```/gm, '') }))

  test('links', () => {
    for (const { path, unfenced } of prose) {
      for (const [link, to = '', anchor] of unfenced.matchAll(/\]\(([^)#\s]*)#?([^)\s]*)[^)]*\)/g)) {
        if (/^\w+:/.test(to)) continue
        const target = to === '' ? path : posix.join(posix.dirname(path), to)
        assert.ok(exists(target), `${path}: ${link}`)
        if (anchor) assert.ok(anchorsOf(target).includes(anchor), `${path}: ${link}`)
      }
    }
  })

  /** As GitHub makes them of headings. */
  function anchorsOf(target: string): string[] {
    const headings = prose.find(({ path }) => path === target)?.unfenced.matchAll(/^#+ (.*)$/gm) ?? []
    return [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\d_ -]/gu, '')
        .replaceAll(' ', '-'),
    )
  }

  test('paths and names of files', () => {
    for (const { path, unfenced } of prose) {
      for (const [, name = ''] of unfenced.matchAll(/`([\w./-]+)`/g)) {
        if (/^(\.ci|bench|bin|deploy|docs|packages|runtime|src|test)\//.test(name))
          assert.ok(exists(name), `${path}: ${name}`)
        else if (/^[\w.-]+\.(m?ts|mjs|md)$/.test(name)) {
          assert.ok(
            tree.some((file) => `/${file.path}`.endsWith(`/${name}`)),
            `${path}: ${name}`,
          )
        }
      }
    }
  })

  test('no lines by their numbers, which move', () => {
    for (const { path, text } of documents) {
      assert.doesNotMatch(text, /\.(m?[jt]s|md):\d+|\blines? \d+/i, `${path}: name what stands there instead`)
    }
  })

  test('commands and their options, in documents and in what the program itself says', () => {
    const known = new Map(runnable(commands).map(({ name, command }) => [name, command]))
    const groups = new Set([...known.keys()].map((name) => name.split(' ')[0]!))
    const said = [
      // Programs in a document are what a reader would add.
      ...documents.map(({ path, text }) => ({ path, text: text.replace(/^```ts\n[\s\S]*?^```/gm, '') })),
      ...product.flatMap(({ path, strings }) => strings.map((text) => ({ path, text }))),
    ]
    for (const { path, text } of said) {
      for (const [line, first = '', rest = ''] of text.matchAll(
        /npx drift-segment-source ([a-z][a-z-]*)([^`\n|>]*)/g,
      )) {
        assert.ok(groups.has(first), `${path}: ${line}`)
        const command = known.get(`${first} ${/^ ([a-z]+)/.exec(rest)?.[1]}`) ?? known.get(first)
        assert.ok(command, `${path}: ${line}`)
        const options = (command.options ?? []).map(({ flags }) => flags.split(' ')[0]!)
        for (const [option] of rest.matchAll(/--[a-z-]+/g)) {
          assert.ok(['--help', ...options].includes(option), `${path}: ${line}`)
        }
      }
      for (const [line, script = ''] of text.matchAll(/npm run ([\w:-]+)/g))
        assert.ok(script in scripts, `${path}: ${line}`)
    }
  })

  test('settings, in documents and in what the service is deployed by', () => {
    const names = new Set(
      settingNames.flatMap((name): string[] => ('inFile' in settings[name] ? [name, `${name}_FILE`] : [name])),
    )
    const families = new Set(settingNames.flatMap((name) => (name.includes('_') ? [name.split('_')[0]!] : [])))
    const settingLike = new RegExp(`\\b(?:${[...families].join('|')})(?:_[A-Z]+)+\\b`, 'g')
    const deployed = tree.filter(({ path }) => /^(deploy\/|compose\.yaml$|Dockerfile$)/.test(path))
    assert.ok(deployed.length > 10)
    for (const { path, text } of [...documents, ...deployed]) {
      for (const [name] of text.matchAll(settingLike)) assert.ok(names.has(name), `${path}: ${name}`)
    }
  })

  test('the folders of src and the packages, on the map of ARCHITECTURE.md', () => {
    const { text } = documents.find(({ path }) => path === 'ARCHITECTURE.md')!
    const folders = new Set(product.map(({ path }) => /^(src|packages)\/\w+(\/|\.ts$)/.exec(path)![0]))
    for (const folder of folders)
      assert.ok(text.includes(`| \`${folder}\` |`), `ARCHITECTURE.md has no row for ${folder}`)
  })
})

const { scripts } = JSON.parse(tree.find(({ path }) => path === 'package.json')!.text) as Record<'scripts', object>
