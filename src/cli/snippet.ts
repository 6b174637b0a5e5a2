import { type Env, judgeSetting, readOne } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { judgeWriteKey } from '../segment/key.ts'
import { type SnippetOptions, snippet as write } from '../web/snippet.ts'
import type { Command, Given } from './command.ts'

export const snippet: Command = {
  name: 'snippet',
  summary: "print the tag for a web page that sends the chat widget's own events to Segment (see docs/bridge.md)",
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
    { flags: '--pinned', meaning: 'with a hash of the script; the tag must be renewed when the service is updated' },
  ],
  examples: [
    'npx drift-segment-source snippet --url https://events.example.com',
    'npx drift-segment-source snippet --url https://events.example.com --drift abc123def456 --segment AbCdEfGhIjKlMnOpQrStUvWxYz012345',
  ],
  async run({ env, print }, given) {
    print(
      write({
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
      }),
    )
  },
}

function addressOf(given: Given[string], env: Env): string {
  if (given === undefined) {
    const publicUrl = readOne(env, 'PUBLIC_URL')
    if (publicUrl !== undefined) return publicUrl
    throw misused('it is not known where browsers reach the service', 'give --url, or set PUBLIC_URL')
  }
  const judged = judgeSetting('PUBLIC_URL', String(given))
  if ('value' in judged) return judged.value
  throw misused(`--url ${judged.problem}`, 'give an https address, such as https://events.example.com')
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
