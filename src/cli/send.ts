/** Posts a webhook to a running service as Drift would: one of the catalogue's samples, or a file. */
import { readFile } from 'node:fs/promises'
import { addressOf, type Env, readOne } from '../config.ts'
import { readFixture } from '../events/fixtures.ts'
import { catalogue } from '../events/index.ts'
import { Problem } from '../lib/errors.ts'
import { isObject, type JsonObject, numberOf, readText } from '../lib/json.ts'
import { withoutMark } from '../lib/pasted.ts'
import { openHttpClient } from '../lib/request.ts'
import { withoutEnd } from '../lib/without-end.ts'
import { withOrg } from '../sim/webhook.ts'
import type { Command } from './command.ts'
import { orgOf } from './store.ts'

/** What to do about the commonest ways of not reaching an address. */
const reachHints: Record<string, string> = {
  ENOTFOUND: 'the DNS does not know the name in --to',
  ECONNREFUSED: 'nothing listens there: is the service running? see --to',
  TLS_UNTRUSTED: 'its certificate is not trusted here: NODE_EXTRA_CA_CERTS names the file of an authority of your own',
  TLS_WRONG_HOST: 'its certificate is of another name than the one in --to',
}

export const send: Command = {
  name: 'send',
  summary:
    'post a sample event, or a JSON file, to a running service as Drift would; the token is taken from the settings',
  arguments: [{ name: '<event-or-file>', meaning: 'an event type of `events`, or the path of a .json file' }],
  options: [
    { flags: '--to <url>', meaning: 'the service; default: where it listens by HOST and PORT' },
    { flags: '--org <id>', meaning: "the account it is said to come from; the sample's own when absent" },
  ],
  examples: [
    'npx drift-segment-source send new_conversation --org 12345',
    'npx drift-segment-source send ./webhook.json --to http://127.0.0.1:8080',
  ],
  async run(context, given, [what = '']) {
    const token = verificationToken(context.env())
    const to = given.to === undefined ? listensAt(context.env()) : String(given.to)
    const sample = await webhookOf(what)
    const webhook = given.org === undefined ? sample : withOrg({ orgId: 0, ...sample }, numberOf(orgOf(given.org)))
    const httpClient = openHttpClient()
    try {
      const answer = await httpClient.send({
        method: 'POST',
        url: `${withoutEnd(to, '/')}/webhooks/drift`,
        headers: { 'content-type': 'application/json', 'x-verification-token': token },
        body: JSON.stringify({ ...webhook, token }),
        deadlineMs: 15_000,
      })
      if (answer.failure !== undefined) {
        throw new Problem('service_unreachable', `no answer from the service: ${answer.failure}`, {
          hint: reachHints[answer.failure] ?? 'is it running there? see --to',
        })
      }
      context.print(`${answer.status} ${answer.body}`)
      if (answer.status === 401)
        context.remark('the service does not know this token: was it started with other DRIFT_VERIFICATION_TOKENS?')
      return answer.status === 200 ? 0 : 1
    } finally {
      await httpClient.close()
    }
  },
}

function listensAt(env: Env): string {
  const [host, port] = [readOne(env, 'HOST')!, readOne(env, 'PORT')!]
  if (port === 0)
    throw new Problem('service_unreachable', 'with PORT=0 the service takes a free port, which is not known here', {
      hint: 'give the address on which it says that it listens by --to',
    })
  // On all addresses of the machine, so on loopback too.
  return addressOf({ host: /^(0\.0\.0\.0|::)$/.test(host) ? '127.0.0.1' : host, port })
}

function verificationToken(env: Env): string {
  const [token] = readOne(env, 'DRIFT_VERIFICATION_TOKENS') ?? []
  if (token) return token
  throw new Problem('settings_wrong', 'DRIFT_VERIFICATION_TOKENS is missing', {
    hint: 'set it as the service has it',
    exitCode: 78,
  })
}

async function webhookOf(what: string): Promise<JsonObject> {
  if (catalogue.has(what)) return (await readFixture(what)).drift
  const text = await readFile(what, 'utf8').catch((cause: unknown) => {
    throw new Problem('input_missing', `"${what}" is neither an event type nor a file that can be read`, {
      hint: `event types: ${[...catalogue.keys()].join(', ')}`,
      exitCode: 2,
      cause,
    })
  })
  const reading = readText(withoutMark(text))
  if (reading.ok && isObject(reading.value)) return reading.value
  throw new Problem('input_unreadable', `"${what}" holds no JSON object`, { exitCode: 2 })
}
