/** The script for a web page that loads the browser bridge. */
import { type Env, judgeSetting, readOne } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { judgeWriteKey } from '../segment/key.ts'
import { policyHash, type SnippetOptions, snippet as write } from '../web/snippet.ts'
import type { Command, Given } from './command.ts'

export const snippet: Command = {
  name: 'snippet',
  summary: "print the script for a web page that sends the chat widget's own events to Segment (see docs/bridge.md)",
  options: [
    { flags: '--url <address>', meaning: 'where browsers reach the service; default: PUBLIC_URL' },
    { flags: '--drift <embed-id>', meaning: 'let the bridge load the Drift widget, if the page does not' },
    { flags: '--segment <write-key>', meaning: 'let the bridge load Segment, if the page does not' },
    {
      flags: '--identify <mode>',
      meaning: 'contact: the contact id becomes the anonymousId; link: it travels beside it',
      choices: ['contact', 'link'],
      default: 'contact',
    },
    {
      flags: '--consent <state>',
      meaning: 'whether events may be sent before the page says so',
      choices: ['granted', 'pending', 'denied'],
      default: 'granted',
    },
    { flags: '--omit <names>', meaning: 'properties never to be sent, comma separated, such as email' },
    { flags: '--respect-opt-out', meaning: 'send nothing from browsers that ask not to be tracked' },
    { flags: '--pinned', meaning: 'with a hash of the file; served until ten further versions are released' },
    {
      flags: '--nonce <value>',
      meaning: "the nonce of the page's Content Security Policy, or what its template puts there",
    },
    {
      flags: '--fallback <address>',
      meaning: 'a copy of the file on your own site, loaded when the service does not answer within 4 seconds',
    },
    {
      flags: '--small',
      meaning: 'the starter alone, at most 700 bytes; what is said where the service does not answer is lost',
    },
    { flags: '--trusted-types', meaning: "for a page with require-trusted-types-for 'script'" },
    {
      flags: '--tag',
      meaning: 'one tag, for a page that allows no inline script; what is said before its file comes is lost',
    },
    { flags: '--inline', meaning: 'everything in the page, and no request to the service' },
  ],
  examples: [
    'npx drift-segment-source snippet --url https://events.example.com',
    'npx drift-segment-source snippet --url https://events.example.com --drift abc123def456 --segment AbCdEfGhIjKlMnOpQrStUvWxYz012345',
  ],
  async run({ env, print, remark }, given) {
    if (given.tag && given.inline) throw misused('--tag and --inline are two ways to print it', 'give one of them')
    for (const name of ['fallback', 'small'])
      if (given[name] !== undefined && (given.tag || given.inline))
        throw misused(`--${name} belongs to the starter`, 'leave out --tag and --inline')
    const html = write({
      url: addressOf(given.url, env),
      drift: embedIdOf(given.drift),
      segment: writeKeyOf(given.segment),
      identify: given.identify === 'link' ? 'link' : 'contact',
      consent: given.consent as NonNullable<SnippetOptions['consent']>,
      omit: String(given.omit ?? '')
        .split(/[\s,]+/)
        .filter(Boolean),
      respectOptOut: given.respectOptOut === true,
      pinned: given.pinned === true,
      as: given.tag ? 'tag' : given.inline ? 'inline' : 'starter',
      nonce: given.nonce === undefined ? undefined : String(given.nonce),
      fallback: fallbackOf(given.fallback),
      small: given.small === true,
      trustedTypes: given.trustedTypes === true,
    })
    print(html)
    const hash = policyHash(html)
    if (hash) remark(`where the page has a Content Security Policy, its script-src needs: ${hash}`)
  },
}

function addressOf(given: Given[string], env: () => Env): string {
  if (given === undefined) {
    const publicUrl = readOne(env(), 'PUBLIC_URL')
    if (publicUrl !== undefined) return publicUrl
    throw misused('it is not known where browsers reach the service', 'give --url, or set PUBLIC_URL')
  }
  const judged = judgeSetting('PUBLIC_URL', String(given))
  if ('value' in judged) return judged.value
  throw misused(`--url ${judged.problem}`, 'give an https address, such as https://events.example.com')
}

function fallbackOf(given: Given[string]): string | undefined {
  if (given === undefined) return undefined
  const address = String(given)
  if (/^\/(?![/\\])/.test(address) || URL.parse(address)?.protocol === 'https:') return address
  throw misused('--fallback is not where a page finds a file', 'give an https address or a path, such as /bridge.js')
}

/** What the bridge itself would not take, it would pass over without a word. */
function embedIdOf(given: Given[string]): string | undefined {
  if (given === undefined || /^[\w-]+$/.test(String(given))) return given === undefined ? undefined : String(given)
  throw misused('--drift has letters, digits, - and _ only', "copy it from Drift's settings of the widget")
}

function writeKeyOf(given: Given[string]): string | undefined {
  if (given === undefined) return undefined
  const judged = judgeWriteKey(String(given))
  if (judged.is === 'refused')
    throw misused(`--segment: ${judged.why}`, "copy it from Segment's settings of the source")
  return judged.key
}

function misused(message: string, hint: string): Problem {
  return new Problem('snippet_misused', message, { hint, exitCode: 2 })
}
