/** An account's secrets from standard input: never as arguments, which other users of the machine see. */
import type { Grant } from '../accounts/grant.ts'
import { Problem } from '../lib/errors.ts'
import { isObject, readText } from '../lib/json.ts'
import { secretProblem, trimmed, withoutMark } from '../lib/pasted.ts'
import { judgeFor, type KeyJudgement } from '../segment/key.ts'
import type { Place } from '../segment/place.ts'

export interface Secrets {
  grant?: Grant
  writeKey?: Exclude<KeyJudgement, { is: 'refused' }>
}

const names = ['accessToken', 'refreshToken', 'writeKey'] as const
type Given = Partial<Record<(typeof names)[number], string>>
const ofAccount = 'give a JSON object with accessToken, refreshToken (unless it is a private token) and writeKey'
const ofDestination = 'give a JSON object with the write key alone: {"writeKey":"…"}'

/** Judged as the settings judge them; a Problem names the first that cannot be used, and never shows it. `place`: of the key. */
export function secretsOf(input: string, place: Place = { region: 'us' }, hint = ofAccount): Secrets {
  const { accessToken, refreshToken, writeKey } = givenIn(input, hint)
  for (const [name, token] of Object.entries({ accessToken, refreshToken })) {
    const problem = token === '' ? 'is empty' : token && secretProblem(token)
    if (problem)
      throw new Problem('token_unusable', `${name} ${problem}`, { hint: 'copy it again from Drift', exitCode: 2 })
  }
  if (refreshToken !== undefined && accessToken === undefined)
    throw new Problem('token_unusable', 'refreshToken stands without the accessToken that Drift gave with it', {
      hint: 'give both',
      exitCode: 2,
    })
  const judged = writeKey === undefined ? undefined : judgeFor(place)(writeKey)
  if (judged?.is === 'refused')
    throw new Problem('write_key_unusable', judged.why, {
      hint:
        place.endpoint === undefined
          ? 'copy it again: in Segment it stands at Source → Settings → API Keys'
          : `copy it again: those who run ${place.endpoint} give it`,
      exitCode: 2,
    })
  return {
    // How old a pasted access token is cannot be known: with a refresh token it is renewed before its first use.
    ...(accessToken ? { grant: { accessToken, ...(refreshToken ? { refreshToken, expiresAt: 0 } : {}) } } : {}),
    ...(judged ? { writeKey: judged } : {}),
  }
}

function givenIn(input: string, hint: string): Given {
  if (input.trim() === '') throw new Problem('input_unreadable', 'standard input is empty', { hint, exitCode: 2 })
  const reading = readText(withoutMark(input))
  if (!reading.ok || !isObject(reading.value))
    throw new Problem('input_unreadable', 'standard input is not a JSON object', { hint, exitCode: 2 })
  const entries = Object.entries(reading.value)
  const isKnown = ([name, value]: [string, unknown]) =>
    (names as readonly string[]).includes(name) && typeof value === 'string'
  if (!entries.every(isKnown))
    throw new Problem('input_unknown', 'standard input holds a name that is not known, or a value that is not a text', {
      hint,
      exitCode: 2,
    })
  return Object.fromEntries(entries.map(([name, value]) => [name, trimmed(String(value))]))
}

/** The write key alone. */
export function writeKeyIn(input: string, place: Place): Exclude<KeyJudgement, { is: 'refused' }> {
  const { grant, writeKey } = secretsOf(input, place, ofDestination)
  if (writeKey && !grant) return writeKey
  throw new Problem('write_key_unusable', 'standard input must hold a JSON object with writeKey, and nothing else', {
    hint: ofDestination,
    exitCode: 2,
  })
}
