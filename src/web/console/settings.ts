import type { Context, Hono } from 'hono'
import { chooseEvents, pauseAccount } from '../../accounts/actions.ts'
import { changeWriteKey } from '../../accounts/change-key.ts'
import { afterAttempt, resumeNow, retryNow } from '../../accounts/retry.ts'
import { savedWriteKey, shownKey } from '../../accounts/write-key.ts'
import { catalogue } from '../../events/index.ts'
import { unseenProblem } from '../../lib/pasted.ts'
import { untilGone } from '../../pipeline/until-gone.ts'
import { regionIn } from '../../segment/region.ts'
import { keyGiven } from '../connect/key-form.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import { type ConsoleNeeds, connectsHere } from '../needs.ts'
import { leftPage, type SettingsPage, settingsPage } from '../pages/settings.ts'
import { allowOldProof, type Web } from '../session.ts'

const doneWords: ReadonlyMap<string, string> = new Map([
  ['segment', 'Saved. What waited for this is being sent.'],
  ['events', 'Saved. It holds for every webhook from now on.'],
])

/** A browser waits no longer than this for the store's log to be emptied; the service's own maintenance does it later. */
const pagePatienceMs = 1_000

export function settingsRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, keyring, clock, config, disconnect, closing } = needs
  const events = [...catalogue.values()].map(({ type, when }) => ({ type, when }))

  async function show(c: Context<Web>, more: Partial<SettingsPage> = {}, status: 200 | 409 | 422 = 200) {
    const session = c.get('session')
    const install = accounts.get(session.org)
    if (!install) return refuse(c, 404, 'not_found')
    const isFixed = config.single?.org === session.org
    const connects = connectsHere(config, session.org)
    return c.html(
      settingsPage({ session, install, events, key: await shownKey(keyring, install), isFixed, connects, ...more }),
      status,
    )
  }

  app.get('/console/settings', (c) => {
    const done = doneWords.get(c.req.query('done') ?? '')
    return show(c, done === undefined ? {} : { done })
  })

  app.post('/console/settings/segment', async (c) => {
    const fields = await formOf(c, ['writeKey', 'chosen', 'region', 'generation'])
    const { generation } = fields
    const region = regionIn(fields.region)
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    if (!install || config.single?.org === org) return refuse(c, 404, 'not_found')
    if (!region) return refuse(c, 400, 'form_unusable')
    const saved = await savedWriteKey(keyring, install)
    const known = saved === undefined ? undefined : { word: 'saved' as const, key: saved }
    const given = await keyGiven(keyring, org, { pasted: fields.writeKey, chosen: fields.chosen, known })
    if (given.is === 'wrong') return show(c, { wrong: { writeKey: `Not saved: ${given.problem}.` } }, 422)
    if (String(install.generation) !== generation) return show(c, { isStale: true }, 409)
    if (given.is === 'unsure') return show(c, { question: { ...given.question, region } }, 422)
    const isKept = given.writeKey === saved
    const change = { region, by: who, ...(isKept ? {} : { writeKey: given.writeKey }) } as const
    const changed = await changeWriteKey(needs, org, change)
    if (changed.is !== 'saved') return show(c, { isStale: true }, 409)
    return c.redirect('/console/settings?done=segment', 303)
  })

  app.post('/console/settings/events', async (c) => {
    const { on, generation } = await formOf(c, ['generation'], ['on'])
    const { org, who } = c.get('session')
    const offTypes = [...catalogue.keys()].filter((type) => !on.includes(type))
    if (!(await chooseEvents(needs, org, { offTypes, generation, who }))) return show(c, { isStale: true }, 409)
    return c.redirect('/console/settings?done=events', 303)
  })

  app.post('/console/pause', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const { is } = await pauseAccount(needs, org, who)
    return c.redirect(is === 'done' ? '/console?done=paused' : '/console', 303)
  })

  app.post('/console/resume', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const resumed = await resumeNow(needs, org, who)
    if (resumed.is === 'gone') return c.redirect('/console', 303)
    if (resumed.is === 'not_paused') return c.redirect('/console?done=not_paused', 303)
    if (resumed.is !== 'done') return show(c, { isAsked: resumed.is === 'asked' }, 409)
    await afterAttempt(needs, org, resumed.asked, { signal: closing })
    return c.redirect('/console?done=resumed', 303)
  })

  app.post('/console/retry', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const retried = await retryNow(needs, org, who)
    if (retried.is === 'gone') return c.redirect('/console', 303)
    if (retried.is === 'held') return c.redirect('/console?done=held', 303)
    await afterAttempt(needs, org, retried.asked, { signal: closing })
    const done = retried.asked.length > 0 ? 'tried' : retried.later.length > 0 ? 'later' : 'nothing'
    return c.redirect(`/console?done=${done}`, 303)
  })

  app.post('/console/disconnect', async (c) => {
    const { confirm } = await formOf(c, ['confirm'])
    const { org, who } = c.get('session')
    const problem = unseenProblem(confirm.trim())
    const wrong = problem ? `what stood here ${problem}` : confirm.trim() === org ? undefined : `this is not ${org}`
    if (wrong) return show(c, { wrong: { confirm: `Not done: ${wrong}.` } }, 422)
    const left = await disconnect.leave(org, who)
    const purged = await untilGone({ storage, keyring, clock }, pagePatienceMs)
    // The session ended with the account, and so did this page's way back.
    return c.html(leftPage(left.is, purged === 'done'))
  })
}
