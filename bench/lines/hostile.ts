/** How long does the worst body keep the service from its work, with a token or without? */
import { disconnectType, openEnvelope, tokensOf } from '../../src/drift/envelope.ts'
import { catalogue } from '../../src/events/index.ts'
import { searchedBy } from '../../src/pipeline/resolve.ts'
import { hostileJson } from '../../test/hostile-json.ts'
import { median } from '../arithmetic.ts'
import { alone, type Line } from '../line.ts'

/** The largest body that is read. */
const bytesMax = 256 * 1024
const token = 'verification-token'
const tokens = tokensOf([token])

/** The same text without a token, with the header, and as all or a part of the data of events that have a token. */
function bodiesOf(text: string): { body: Buffer; header: 'right' | 'missing' }[] {
  const webhook = (type: string, data: string) => `{"token":"${token}","type":"${type}","orgId":1,"data":${data}}`
  const bodies: [string, 'right' | 'missing'][] = [
    [text, 'missing'],
    [text, 'right'],
    [webhook('new_conversation', `{"x":${text}}`), 'missing'],
    [webhook('conversation_participant_added', `{"addedParticipants":${text}}`), 'missing'],
    [webhook('contact_updated', `{"diff":${text}}`), 'missing'],
    [webhook(disconnectType, text), 'missing'],
  ]
  return bodies.map(([body, header]) => ({ body: Buffer.from(body), header }))
}

/** All that is done with a body on the main thread before it is sealed. */
function take(body: Buffer, header: 'right' | 'missing'): void {
  const judged = openEnvelope(body, tokens, { verdict: header })
  if (judged.token === 'wrong' || judged.opened.as !== 'envelope') return
  const { type, data } = judged.opened.envelope
  const page = catalogue.get(type)
  if (page) searchedBy(page, data)
}

function timed(body: Buffer, header: 'right' | 'missing'): number {
  const startedAt = performance.now()
  take(body, header)
  return performance.now() - startedAt
}

export const hostile: Line = {
  name: 'hostile',
  question: 'How long does the worst body keep the service from its work, with a token or without?',
  peers: false,
  hereOnly: true,
  async run({ rounds: roundsMax, say }) {
    const rounds: number[] = []
    for (let round = 0; round < roundsMax; round++) {
      let worst = { name: '', ms: 0 }
      for (const [name, shape] of Object.entries(hostileJson)) {
        const text = shape(bytesMax - 500)
        for (const { body, header } of bodiesOf(text)) {
          if (body.length > bytesMax) throw new Error(`the shape ${name} is larger than any body that is read`)
          const ms = median(Array.from({ length: 3 }, () => timed(body, header)))
          if (ms > worst.ms) worst = { name, ms }
        }
      }
      say(`  the worst of ${Object.keys(hostileJson).length} shapes: ${worst.name}`)
      rounds.push(worst.ms)
    }
    return [alone('the worst body of 256 KiB', 'ms', rounds, { words: '< 30 ms', holds: (ms) => ms < 30 })]
  },
}
