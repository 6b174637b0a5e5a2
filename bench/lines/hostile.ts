/** How long does the worst body of a stranger keep the service from its work? */
import { openEnvelope, tokensOf } from '../../src/drift/envelope.ts'
import { hostileJson } from '../../test/hostile-json.ts'
import { alone, type Line } from '../line.ts'

/** The largest body that is read. */
const bytesMax = 256 * 1024
const token = 'verification-token'

/** The same text without a token, as the data of a webhook that has one, and as a whole body with the header. */
function bodiesOf(text: string): { body: Buffer; header: 'right' | 'missing' }[] {
  const webhook = `{"token":"${token}","type":"new_conversation","orgId":1,"data":{"x":${text}}}`
  const [bare, wrapped] = [text, webhook].map((body) => Buffer.from(body))
  return [
    { body: bare!, header: 'missing' },
    { body: wrapped!, header: 'missing' },
    { body: bare!, header: 'right' },
  ]
}

export const hostile: Line = {
  name: 'hostile',
  question: 'How long does the worst body of a stranger keep the service from its work?',
  peers: false,
  async run({ rounds: roundsMax, say }) {
    const tokens = tokensOf([token])
    const rounds: number[] = []
    for (let round = 0; round < roundsMax; round++) {
      let worst = { name: '', ms: 0 }
      for (const [name, shape] of Object.entries(hostileJson)) {
        const text = shape(bytesMax - 500)
        for (const { body, header } of bodiesOf(text)) {
          if (body.length > bytesMax) throw new Error(`the shape ${name} is larger than any body that is read`)
          const startedAt = performance.now()
          openEnvelope(body, tokens, header)
          const ms = performance.now() - startedAt
          if (ms > worst.ms) worst = { name, ms }
        }
      }
      say(`  the worst of ${Object.keys(hostileJson).length} shapes: ${worst.name}`)
      rounds.push(worst.ms)
    }
    return [alone('the worst body of 256 KiB', 'ms', rounds, { words: '< 30 ms', holds: (ms) => ms < 30 })]
  },
}
