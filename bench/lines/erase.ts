/** What does it cost to erase a person with a million entries stored, and do webhooks wait for it? */
import { readConfig } from '../../src/config.ts'
import { erasePerson } from '../../src/operations/erase.ts'
import { openStore } from '../../src/service.ts'
import { alone, compared, type Line } from '../line.ts'
import { pace } from '../load.ts'
import { serve, settingsFor, webhooksOf } from '../product.ts'
import { startSegment } from '../segment.ts'
import { firstOrg } from '../webhook.ts'

const perSecond = 200
/** The backlog's contacts follow this one. */
const firstContact = 21_727_000_000
/** Erased one after the other in a round, beside the load. */
const personsOfRound = 5

export const erase: Line = {
  name: 'erase',
  question: 'What does it cost to erase a person with a million entries stored, and do webhooks wait for it?',
  peers: false,
  hereOnly: true,
  async run(bench) {
    const entries = bench.quick ? 20_000 : 1_000_000
    const folder = await bench.backlog(entries)
    // Segment is down, so that nothing goes but what is erased.
    const segment = await startSegment({ status: 503 })
    const env = settingsFor(bench.engine, folder, segment.url)
    const service = await serve(bench.root, env)
    const store = await openStore(readConfig(env, 'store'))
    const [eraseMs, quietMs, busyMs]: number[][] = [[], [], []]
    let next = entries + 1
    const load = async () => {
      const { p99, next: after } = await pace({
        url: webhooksOf(service),
        perSecond,
        seconds: bench.seconds,
        from: next,
        warmSeconds: 1,
      })
      next = after
      return p99
    }
    try {
      for (let round = 0; round < bench.rounds; round++) {
        bench.say(`round ${round + 1} of ${bench.rounds}`)
        quietMs!.push(await load())
        const loading = load()
        const startedAt = performance.now()
        for (let n = 0; n < personsOfRound; n++) {
          const contact = String(firstContact + 4_000 + round * personsOfRound + n)
          const { entries: gone } = await erasePerson(
            { ...store.storage, keyring: store.keyring, clock: store.clock },
            String(firstOrg),
            contact,
            false,
          )
          if (gone === 0) throw new Error(`nothing of contact ${contact} was there to be erased`)
          while ((await store.storage.purge()) === 'log_held');
        }
        eraseMs!.push((performance.now() - startedAt) / personsOfRound)
        busyMs!.push(await loading)
      }
    } finally {
      await store.close()
      await service.kill()
      await segment.kill()
    }
    const many = `${entries.toLocaleString('en')} stored`
    return [
      alone(
        `erase a person of ${entries / 5_000} events, ${many}, beside ${perSecond} webhooks a second`,
        'ms',
        eraseMs!,
      ),
      compared('p99 of acknowledgement meanwhile', 'ms', busyMs!, { name: 'without erasing', figures: quietMs! }),
    ]
  },
}
