/**
 * Words that this code had of its own, each with the word that the field, GLOSSARY.md or plain English has for it. A reader
 * searches for that one. They are looked for in code, comments, messages, documents and the titles of tests.
 */
import { law } from '../law.ts'
import { type File, isProduct } from '../tree.ts'

interface Term {
  not: RegExp
  say: string
  /** Names in the code of these alone: elsewhere it is an ordinary word. */
  names?: (file: File) => boolean
  /** What may be said all the same, and is overlooked: each with its reason in the comment beside it. */
  but?: RegExp
  /** Files that may, each with the reason. */
  except?: Readonly<Record<string, string>>
  breaks: readonly [string, ...string[]]
  keeps?: readonly string[]
}

const inStore = (file: File) =>
  isProduct(file) && /^src\/(accounts|alerts|drift|operations|pipeline|storage)\//.test(file.path)
const inCode = (file: File) => /^(src|test|torture)\//.test(file.path)

const terms: readonly Term[] = [
  {
    not: /\bsets? ?aside\b|\bsetAside\b|\baside\b/i,
    say: 'quarantined; of dead and quarantined ones together: failed',
    // An element of HTML.
    but: /<\/?aside|createElement\('aside'\)/g,
    breaks: ['events that were set aside', 'const setAside = 1', 'aside: Settlement[]'],
    keeps: ["document.createElement('aside')"],
  },
  {
    not: /\bgiven[ _]?up\b/i,
    say: 'dead',
    breaks: ['Given up', 'const givenUp = 1'],
    keeps: ['it gives the lease up'],
  },
  {
    not: /\bon (their|its) way\b|\bin[ _]line\b|\bInLine\b/,
    say: 'queued, in the queue',
    breaks: ['5 events are on their way', 'the first in line', "reason: 'in_line'"],
    keeps: ['the lines of a log', 'inline'],
  },
  {
    not: /\bin ?vain\b|\bsetbacks?\b/i,
    say: 'the attempt failed; lastError',
    breaks: ['tried in vain', 'lane.setback'],
  },
  {
    not: /\btroubled?s?\b|Trouble/i,
    say: 'blocked; a refusal',
    breaks: ['in trouble', 'markTrouble()'],
    keeps: ['refused'],
  },
  {
    not: /\bunclaimed\b|\badopt(s|ed|ing|ions?)?\b/,
    say: 'not installed; claimed on install',
    // The value of a state, which scripts rely on.
    but: /['"`|]unclaimed(?=\\?['"`|])|\bunclaimed: |\bunclaimed -->|--> unclaimed\b/g,
    except: {
      'packages/bridge/src/': 'the bridge takes over a widget, not an event',
      'build/bridge.ts': 'names of the bridge',
    },
    breaks: ['unclaimed events', "'unclaimed events wait'", 'inbox.adopt(org)'],
    keeps: ["state === 'unclaimed'", '`unclaimed`'],
  },
  { not: /\bdeeds?\b|\bDeeds?\b/, say: 'audit entry; action', breaks: ['an account’s deeds', 'entry: Deed'] },
  {
    not: /\bbooks\b|\bstandings\b|\bStandings?\b|\bmoments\b/,
    say: 'snapshot, backlog, time buckets',
    breaks: ['await ledger.books()', 'standings', 'FROM moments'],
    keeps: ['for a moment'],
  },
  { not: /\bsums\b|\bSums\b/, names: inCode, say: 'outcomes, totals', breaks: ['const sums = 1'] },
  {
    not: /\b[sS]ought\w*|[a-z]Sought/,
    say: 'search index, search term',
    breaks: ['soughtBy(query)', 'noteSought(db)'],
  },
  { not: /[cC]areful/, names: inStore, say: 'isolating', breaks: ['const careful = 1', 'beginsCareful()'] },
  {
    not: /\b([pP]acking|[mM]oving|[gG]rouping)\b/,
    names: inStore,
    say: 'transfer encoding, store copy, group commit; resending',
    breaks: ['const moving = 1'],
  },
  {
    not: /\b(asking|questions?|Questions?)\b/,
    names: inStore,
    say: 'lookup; the value of the state stands in quotes',
    // The reason of that state, as a key of a table.
    but: /\basking: (\[|')/g,
    breaks: ['const questions = 1'],
    keeps: ["one.is === 'asking'"],
  },
  { not: /questions?_(total|seconds)/, say: 'lookups_total, lookup_seconds', breaks: ['drift_questions_total'] },
  {
    not: /\bupkeep\b|\broster\b|\b[oO]utlets?\b|Outlet\b|\bbreath\b|\bgraver\b|\bfly\b/,
    say: 'maintenance, accounts, HTTP client, yieldToEventLoop, moreSevere; say what it is',
    breaks: ['upkeep', 'openOutlet()', 'await breath()', 'outlet.send'],
  },
  {
    not: /\b(whoever|somebody|nobody|anew)\b/i,
    say: 'who acts: the caller, another process, the admin, no person; again',
    // A user of Unix.
    but: /`nobody`|user nobody|'nobody[:']/g,
    breaks: ['whoever reads it', 'written anew'],
    keeps: ['the user nobody', 'nobody_named'],
  },
  {
    not: /(?<!\bthere )\b(is|are|was|were) no (?!longer|more\b|one\b)/i,
    say: 'is not',
    breaks: ['it is no text'],
    keeps: ['it is no longer there', 'it is not a text', 'there is no text'],
  },
]

/** What is not edited: a record of its time. And where these words are listed. */
const records = /^(CHANGELOG\.md|docs\/decisions\/.*|test\/laws\/words\.test\.ts)$/
const isRead = ({ path }: File) =>
  /\.(ts|mjs|js|md|ya?ml|json|html|css|service|conf)$|Caddyfile$|Dockerfile$/.test(path) &&
  !records.test(path) &&
  !/\/(built|frozen)\//.test(path)

for (const { not, say, names, but, except = {}, breaks, keeps = [] } of terms) {
  const place = names ? 'src/storage/a.ts' : 'docs/a.md'
  law(`says “${say}” and not what ${not} finds`, {
    judge: (files) =>
      files.filter(isRead).flatMap((file) => {
        if (names && !names(file)) return []
        const read = names ? file.code : file.text
        const found = not.exec(but ? read.replace(but, '') : read)
        return found ? [{ path: file.path, why: `says ${found[0]}` }] : []
      }),
    instead: say,
    except,
    breaks: breaks.map((text) => ({ [place]: text })) as [Record<string, string>],
    keeps: keeps.map((text) => ({ [place]: text })),
  })
}
