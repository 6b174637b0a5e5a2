/** Adding a destination: its name, where it sends and its write key, which can be tested before it is added. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { confirmKey } from '../../accounts/actions.ts'
import { record } from '../../accounts/audit.ts'
import { testWriteKey } from '../../accounts/change-key.ts'
import { addDestination, nameProblem } from '../../accounts/destination-actions.ts'
import { destinationOf, destinationsOf } from '../../accounts/destinations.ts'
import { destinationsMax } from '../../accounts/settings.ts'
import { isThere } from '../../accounts/state.ts'
import { fingerprintOf } from '../../accounts/write-key.ts'
import { judgeFor } from '../../segment/key.ts'
import type { Place, Places } from '../../segment/place.ts'
import type { Org } from '../../storage/ports/entry.ts'
import { holdKey, keyGiven } from '../connect/key-form.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { nameField, nameRefused, nameTaken, whyKept } from './destination.ts'
import { addPath as path } from './destination-address.ts'
import { keyHint } from './destination-card.ts'
import { orProblem } from './destination-key.ts'
import { type Tested, testResult } from './key-test.ts'
import { placeField, placeIn, placeValue } from './place-field.ts'
import { type KeyQuestion, keyQuestion } from './ui/key-question.ts'
import { type Html, page } from './ui/layout.ts'
import { button, head, input, notice, postForm } from './ui/parts.ts'

interface AddPage {
  session: Session
  places: Places
  /** The account has as many as it may. */
  isFull: boolean
  name?: string
  place?: Place
  tested?: Tested
  question?: KeyQuestion
  wrong?: { name?: string; writeKey?: string; other?: string }
}

export function addDestinationRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, keyring, clock, config } = needs
  const { segment: places } = config

  function show(c: Context<Web>, more: Partial<AddPage> = {}, status: 200 | 422 = 200) {
    const session = c.get('session')
    const install = accounts.get(session.org)
    if (!install || !isThere(install) || install.unreadable) return refuse(c, 404, 'not_found')
    const isFull = destinationsOf(install).length >= destinationsMax
    return c.html(addPage({ session, places, isFull, ...more }), status)
  }

  app.get(path, (c) => show(c))

  app.post(path, async (c) => {
    const { name, region, writeKey, chosen, seen } = await formOf(c, ['name', 'region', 'writeKey', 'chosen', 'seen'])
    const { org, who } = c.get('session')
    const place = placeIn(region)
    if (!place) return refuse(c, 400, 'form_unusable')
    const known = { name, place }
    const problem = nameProblem(name)
    const given = await keyGiven(keyring, org, { pasted: writeKey, chosen, judge: judgeFor(place) })
    if (problem || given.is === 'wrong') {
      const ofKey = given.is === 'wrong' ? { writeKey: `Not added: ${given.problem}.` } : {}
      return show(
        c,
        { ...known, wrong: { ...(problem ? { name: nameRefused(problem, 'added') } : {}), ...ofKey } },
        422,
      )
    }
    if (given.is === 'unsure') return show(c, { ...known, question: given.question }, 422)
    const added = await orProblem(() =>
      addDestination({ ...needs, places }, org, { name, place, writeKey: given.writeKey, who }),
    )
    if (added.is === 'problem') return show(c, { ...known, wrong: { writeKey: `Not added: ${added.why}.` } }, 422)
    if (added.is === 'name_taken') return show(c, { ...known, wrong: { name: nameTaken } }, 422)
    if (added.is !== 'done') return show(c, { ...known, wrong: { other: whyKept(added.is) } }, 422)
    const { install, number } = added
    const fingerprint = fingerprintOf(given.writeKey)
    if (seen === 'yes') await confirmKey(needs, org, { destination: number, fingerprint, place, who })
    const one = destinationOf(install, number)!
    const done = one.paused ? 'added_paused' : 'added'
    return c.redirect(`/console/connection?done=${done}`, 303)
  })

  app.post(`${path}/test`, allowOldProof, async (c) => {
    const { name, region, writeKey } = await formOf(c, ['name', 'region', 'writeKey'])
    const place = placeIn(region)
    if (!place) return refuse(c, 400, 'form_unusable')
    const problem = nameProblem(name)
    if (problem) return show(c, { name, place, wrong: { name: nameRefused(problem, 'sent') } }, 422)
    const judged = judgeFor(place)(writeKey)
    const notSent = (why: string) => show(c, { name, place, wrong: { writeKey: `Not sent: ${why}.` } }, 422)
    if (judged.is === 'refused') return notSent(judged.why)
    const result = await orProblem(() => testWriteKey({ ...needs, segment: places }, judged.key, place))
    if (result.is === 'problem') return notSent(result.why)
    const { org, who } = c.get('session')
    const key = await holdKey(keyring, org, judged.key)
    await noteTest(org, who, key.fingerprint)
    return show(c, { name, place, tested: { ...result, key, place, isSaved: false } })
  })

  function noteTest(org: Org, who: string, fingerprint: string): Promise<void> {
    return record({ ...storage, clock }, { org, who, act: 'testedKey', about: `fingerprint ${fingerprint}` })
  }
}

function addPage(given: AddPage): Html {
  const { session, isFull, wrong } = given
  return page({
    title: 'Add destination',
    section: 'connection',
    session,
    uses: ['reveal.js'],
    body: html`${head('Add destination', html`It gets every event that is received from now on, as the others do. <a href="/console/connection">Back to Connection</a>`)}
    <div class="stack">
      ${wrong?.other ? notice('bad', 'Not added', wrong.other) : ''}
      ${isFull ? notice('info', 'No more can be added', whyKept('full')) : ''}
      ${isFull ? '' : card(given)}
    </div>`,
  })
}

function card(given: AddPage): Html {
  const { session, name = '', place = { region: 'us' }, tested, question } = given
  const { csrf } = session
  const verb = { seen: 'add it', unseen: 'Add without confirming' }
  return html`<section class="card">
        ${tested ? testResult(tested, { csrf, action: path, fields: { name }, verb }) : ''}
        ${question ? keyQuestion(question, { action: path, csrf, fields: { name, region: placeValue(place) }, back: path }) : form({ ...given, place })}
      </section>`
}

function form({ session, places, name = '', place, wrong }: AddPage & { place: Place }): Html {
  return postForm(
    path,
    session.csrf,
    html`${nameField(name, wrong?.name)}
      ${placeField(places, place)}
      ${input('writeKey', 'Write key', {
        type: 'password',
        hint: `${keyHint(places)} It is stored encrypted and never shown again.`,
        error: wrong?.writeKey ?? '',
      })}
      <div class="row">${button('Add destination', 'primary')}<button formaction="${path}/test">Send test event</button></div>`,
    'stack narrow',
  )
}
