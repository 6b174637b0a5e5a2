import { Problem } from '../lib/errors.ts'
import { type SnippetOptions, snippet as write } from '../web/snippet.ts'
import type { Command } from './command.ts'

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
    'npx drift-segment-source snippet --url https://events.example.com --drift abc123def456 --segment YOUR_WRITE_KEY',
  ],
  async run({ env, print }, given) {
    print(
      write({
        url: addressOf((given.url as string | undefined) ?? env.PUBLIC_URL),
        drift: keyOf('--drift', given.drift),
        segment: keyOf('--segment', given.segment),
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

function addressOf(given: string | undefined): string {
  if (!given) throw misused('it is not known where browsers reach the service', 'give --url, or set PUBLIC_URL')
  const address = URL.canParse(given) ? new URL(given) : undefined
  const isLoopback = address !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(address.hostname)
  if (address?.protocol === 'https:' || (address?.protocol === 'http:' && isLoopback)) return given
  throw misused(`browsers load nothing from ${given}`, 'give an https address, such as https://events.example.com')
}

/** What the bridge itself would not take, it would pass over without a word. */
function keyOf(flag: string, given: string | boolean | undefined): string | undefined {
  if (given === undefined || /^[\w-]+$/.test(String(given))) return given === undefined ? undefined : String(given)
  throw misused(`${flag} has letters, digits, - and _ only`, 'copy it from the settings page of Drift or Segment')
}

function misused(message: string, hint: string): Problem {
  return new Problem('snippet_misused', message, { hint, exitCode: 2 })
}
