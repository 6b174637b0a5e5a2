/** What is sent: the options of a destination, shown with what they make of events before they are saved. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { record } from '../../accounts/audit.ts'
import { destinationOf, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { type Applied, applyToQueued, changeOptions, isStricter, optionsOf } from '../../accounts/options.ts'
import { catalogue } from '../../events/index.ts'
import { readText } from '../../lib/json.ts'
import { knownNames } from '../../mapping/known.ts'
import { judgeOptions } from '../../mapping/options.ts'
import { preview, wouldChange } from '../../operations/preview.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Web } from '../session.ts'
import { partnerOf } from './at-destination.ts'
import { fieldsFor, manyFields, oneFields, optionsIn, wrongIn, wrongOf } from './mapping-fields.ts'
import { type FormShown, mappingForm, noSuchEvent, wrongNotice } from './mapping-form.ts'
import { previewCard, type Shown } from './mapping-preview.ts'
import { type Html, page } from './ui/layout.ts'
import { counted, head, notice } from './ui/parts.ts'

const path = '/console/mapping'
const types = [...catalogue.keys()]

interface MappingPage extends FormShown {
  install: Install
  shown?: Shown
  done?: Html
  isStale?: boolean
}

export function mappingRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, keyring, clock } = needs
  const looks = { catalogue, keyring, lookup: storage.lookup }

  function show(c: Context<Web>, more: Partial<MappingPage> = {}, status: 200 | 409 | 422 = 200) {
    const session = c.get('session')
    const install = accounts.get(session.org)
    if (!install) return refuse(c, 404, 'not_found')
    const called = c.req.query('destination')
    const asked = called === undefined ? firstOf(install) : destinationOf(install, Number(called))
    if (!asked && !more.destination && !more.isStale) return show(c, { isStale: true }, 409)
    const destination = more.destination ?? asked ?? firstOf(install)
    const fields = fieldsFor(optionsOf(install, destination.number), types)
    return c.html(mappingPage({ session, install, fields, ...more, destination }), status)
  }

  app.get(path, (c) => show(c))

  app.post(`${path}/preview`, allowOldProof, async (c) => {
    const {
      event,
      message,
      destination: called,
      ...fields
    } = await formOf(c, ['event', 'message', 'destination', ...oneFields], manyFields)
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    if (!install || install.unreadable) return c.redirect(path, 303)
    const destination = destinationOf(install, Number(called))
    if (!destination) return show(c, { isStale: true }, 409)
    const looksAt = { event, message }
    const judged = judgeOptions(optionsIn(fields, types), knownNames(catalogue))
    const wrong = wrongIn(fields, judged.ok ? [] : judged.why)
    if (!judged.ok || wrong.length > 0) return show(c, { destination, fields, looksAt, wrong }, 422)
    const before = optionsOf(install, destination.number)
    const change = { before, after: judged.options }
    const term = message.trim() === '' ? undefined : message.trim()
    const type = catalogue.has(event) ? event : types[0]!
    const found = await preview(looks, { org, type, message: term, destination: destination.number }, change)
    if (!found) return show(c, { destination, fields, looksAt, wrong: [noSuchEvent] }, 422)
    if (term !== undefined) await record({ ...storage, clock }, { org, who, act: 'lookedAtData', about: term })
    const last = await wouldChange(looks, org, change)
    const asksForQueued = isStricter(before, judged.options)
    return show(c, {
      destination,
      fields,
      looksAt,
      shown: { preview: found, type, options: judged.options, last, asksForQueued },
    })
  })

  app.post(`${path}/save`, async (c) => {
    const {
      options: text,
      destination: called,
      ...form
    } = await formOf(c, ['options', 'destination', 'generation', 'queued'])
    const { generation, queued } = form
    const { org, who } = c.get('session')
    const reading = readText(text)
    const judged = judgeOptions(reading.ok ? reading.value : undefined, knownNames(catalogue))
    if (!judged.ok) return show(c, { wrong: wrongOf(judged.why) }, 422)
    const { options } = judged
    const known = accounts.get(org)
    const destination = known && destinationOf(known, Number(called))
    if (!destination) return show(c, { isStale: true }, 409)
    const saved = { destination: destination.number, options, generation, who, alsoQueued: queued === 'yes' }
    const changed = await changeOptions({ accounts, clock }, org, saved)
    if (!changed) return show(c, { destination, isStale: true }, 409)
    const { inbox } = storage
    const applied = await applyToQueued({ inbox, clock }, org, destination.number, changed)
    const also = queued === 'yes' ? alsoQueued(applied) : ''
    return show(c, { destination, done: html`Events that are received from now on are sent so.${also}` })
  })
}

/** What became of what waited when these options were saved. */
function alsoQueued({ changed, given, isBusy }: Applied): Html {
  const stay = `${counted(given, 'event')} ${given === 1 ? 'stays' : 'stay'} as before, because an attempt to send ${given === 1 ? 'it' : 'them'} was made already.`
  return html` ${counted(changed, 'queued event')} will be sent so as well.${given > 0 ? ` ${stay}` : ''}${isBusy ? ' The rest was being sent at this moment.' : ''}`
}

/** Which destination, where there are several. */
function destinations({ install, destination }: MappingPage): Html | '' {
  const all = destinationsOf(install)
  if (all.length === 1) return ''
  return html`<nav class="tabs" aria-label="Destinations">${all.map(
    ({ number, name }) =>
      html`<a href="${path}?destination=${number}"${number === destination.number ? html` aria-current="page"` : ''}>${name}</a>`,
  )}</nav>`
}

export function mappingPage(given: MappingPage): Html {
  const { session, shown, wrong, done, isStale, install } = given
  return page({
    title: 'What is sent',
    section: 'mapping',
    session,
    body: html`${head('What is sent', `What an event becomes before it is sent to ${partnerOf({ all: destinationsOf(install), shown: given.destination })}. With every option off, events are sent as Drift’s own integration sent them.`)}
    <div class="stack">
      ${done ? notice('good', 'Saved', done) : ''}
      ${isStale ? notice('bad', 'The settings were changed meanwhile', 'Nothing of yours was saved. Below is what is saved now; make your change again if it is still right.') : ''}
      ${wrong ? wrongNotice(wrong) : ''}
      ${install.unreadable ? '' : html`${destinations(given)}${shown ? previewCard(shown, given) : ''}${mappingForm(given)}`}
    </div>`,
  })
}
