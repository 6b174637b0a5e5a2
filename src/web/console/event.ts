import type { Context, Hono } from 'hono'
import { handleRequest, isOpenRequest } from '../../accounts/actions.ts'
import { record } from '../../accounts/audit.ts'
import { catalogue } from '../../events/index.ts'
import { openEntry, tell } from '../../operations/inspect.ts'
import { type RedriveNeeds, redrivable, redriveOne } from '../../operations/redrive.ts'
import type { Shown } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import { type ConsoleNeeds, connectsHere } from '../needs.ts'
import { eventPage } from '../pages/event.ts'
import { allowOldProof, type Web } from '../session.ts'
import { remediesOf } from './remedies.ts'

export function eventRoutes(
  app: Hono<Web>,
  { config, storage, keyring, accounts, clock, wake, redriveNeeds }: ConsoleNeeds & { redriveNeeds: RedriveNeeds },
): void {
  const { lookup, audit } = storage

  /** Another account's event is as unknown as one that never was. */
  async function entryOf(c: Context<Web>): Promise<Shown | undefined> {
    const { org } = c.get('session')
    const message = c.req.param('message')!
    if (message.length > 100 || message.includes('\0')) return undefined
    return (await lookup.find({ org, message }, { limit: 1 })).entries[0]
  }

  async function show(c: Context<Web>, shown: Shown, isRevealed: boolean) {
    const session = c.get('session')
    const [install, now] = [accounts.get(session.org), clock.now()]
    const lanes = await lookup.lanes(session.org)
    const story = tell(shown, install, lanes, now)
    const isInLine = shown.state === 'waiting' || shown.state === 'asking'
    const connects = connectsHere(config, session.org)
    const remedies = story.why && isInLine ? remediesOf(story.why.reason, install, lanes, now, connects) : []
    const opened = await openEntry({ catalogue, keyring, lookup, accounts }, shown)
    const isRequest = isOpenRequest(shown)
    const canRedrive = redrivable.includes(shown.state) && !isRequest
    const done = c.req.query('done') === 'redriven' ? 'It is on its way again.' : undefined
    return c.html(eventPage({ session, shown, story, remedies, opened, isRevealed, canRedrive, isRequest, done }))
  }

  app.get('/console/events/:message', async (c) => {
    const shown = await entryOf(c)
    return shown ? show(c, shown, false) : refuse(c, 404, 'not_found')
  })

  app.post('/console/events/:message/reveal', allowOldProof, async (c) => {
    await formOf(c, [])
    const shown = await entryOf(c)
    if (!shown) return refuse(c, 404, 'not_found')
    const { org, who } = c.get('session')
    await record({ audit, clock }, { org, who, act: 'lookedAtData', about: shown.messageId })
    return show(c, shown, true)
  })

  app.post('/console/events/:message/handled', async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const shown = await entryOf(c)
    const isHandled = shown && (await handleRequest({ storage, clock }, org, shown.messageId, who))
    return isHandled ? c.redirect('/console/events?state=quarantined', 303) : refuse(c, 404, 'not_found')
  })

  app.post('/console/events/:message/redrive', async (c) => {
    const { mapping } = await formOf(c, ['mapping'])
    const shown = await entryOf(c)
    if (!shown) return refuse(c, 404, 'not_found')
    const { org, who } = c.get('session')
    const { messageId } = shown
    const chosen = mapping === 'then' ? 'then' : 'today'
    const isMoved = await redriveOne(redriveNeeds, shown, { mapping: chosen, who })
    if (isMoved) {
      await record({ audit, clock }, { org, who, act: 'redrove', about: messageId })
      wake()
    }
    return c.redirect(`/console/events/${messageId}${isMoved ? '?done=redriven' : ''}`, 303)
  })
}
