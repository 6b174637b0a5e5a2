/** What is sent: the options of a destination, shown with what they make of events before they are saved. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { record } from '../../accounts/audit.ts'
import { type Destination, destinationOf, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { applyToQueued, changeOptions, isStricter, optionsOf } from '../../accounts/options.ts'
import { catalogue } from '../../events/index.ts'
import { type JsonObject, readText } from '../../lib/json.ts'
import { confirmation } from '../../mapping/identity.ts'
import { knownNames } from '../../mapping/known.ts'
import { judgeOptions, type Options } from '../../mapping/options.ts'
import { usualPrefix } from '../../mapping/prefix.ts'
import { type Difference, type Preview, preview, wouldChange } from '../../operations/preview.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { partnerOf } from './at-destination.ts'
import { fieldsFor, type MappingFields, manyFields, oneFields, optionsIn } from './mapping-fields.ts'
import { type Html, page } from './ui/layout.ts'
import { button, choice, counted, head, input, notice, number, postForm, select } from './ui/parts.ts'

const path = '/console/mapping'
const types = [...catalogue.keys()]

interface Shown {
  preview: Preview
  type: string
  options: Options
  last: { looked: number; changed: number }
  /** It drops or hashes what the saved options do not. */
  asksForQueued: boolean
}

interface MappingPage {
  session: Session
  install: Install
  destination: Destination
  fields: MappingFields
  shown?: Shown
  wrong?: readonly string[]
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
    const judged = judgeOptions(optionsIn(fields, types), knownNames(catalogue))
    if (!judged.ok) return show(c, { destination, fields, wrong: judged.why }, 422)
    const before = optionsOf(install, destination.number)
    const change = { before, after: judged.options }
    const term = message.trim() === '' ? undefined : message.trim()
    const type = catalogue.has(event) ? event : types[0]!
    const found = await preview(looks, { org, type, message: term, destination: destination.number }, change)
    if (!found)
      return show(c, { destination, fields, wrong: ['Preview: this account has no event with this message id.'] }, 422)
    if (term !== undefined) await record({ ...storage, clock }, { org, who, act: 'lookedAtData', about: term })
    const last = await wouldChange(looks, org, change)
    const asksForQueued = isStricter(before, judged.options)
    return show(c, {
      destination,
      fields,
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
    if (!judged.ok) return show(c, { wrong: judged.why }, 422)
    const { options } = judged
    const known = accounts.get(org)
    const destination = known && destinationOf(known, Number(called))
    if (!destination) return show(c, { isStale: true }, 409)
    const saved = { destination: destination.number, options, generation, who, alsoQueued: queued === 'yes' }
    const changed = await changeOptions({ accounts, clock }, org, saved)
    if (!changed) return show(c, { destination, isStale: true }, 409)
    const { inbox } = storage
    const applied = await applyToQueued({ inbox, clock }, org, destination.number, changed)
    const also =
      queued === 'yes'
        ? html` Of what is queued, ${counted(applied.changed, 'event')} will be sent so as well; ${number(applied.given)} had been given to a sender and stay as they were.${applied.isBusy ? ' The rest was being sent at this moment.' : ''}`
        : ''
    return show(c, { destination, done: html`Events that are received from now on are sent so.${also}` })
  })
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
      ${wrong ? notice('bad', 'These options cannot be saved', html`<ul>${wrong.map((why) => html`<li>${why}</li>`)}</ul>`) : ''}
      ${install.unreadable ? '' : html`${destinations(given)}${shown ? previewCard(shown, given) : ''}${form(given)}`}
    </div>`,
  })
}

function previewCard({ preview: found, type, options, last, asksForQueued }: Shown, given: MappingPage): Html {
  const { session, install, destination } = given
  const { before, after, differences, examples } = found
  const made = Object.keys(examples)
  const save = postForm(
    `${path}/save`,
    session.csrf,
    html`<input type="hidden" name="options" value="${JSON.stringify(options)}"><input type="hidden" name="generation" value="${install.generation}"><input type="hidden" name="destination" value="${destination.number}">
    ${asksForQueued ? choice('checkbox', 'queued', 'yes', true, 'Also for queued events', 'What these options leave out or hash is left out or hashed in events that are queued already as well.') : ''}
    <div class="row">${button('Save', 'primary')}<a class="button" href="${path}?destination=${destination.number}">Discard</a></div>`,
    'stack',
  )
  return html`<section class="card" id="preview">
    <h2>Preview: ${found.of === 'fixture' ? html`an example of ${type}` : 'an event of this account'}</h2>
    <p class="faint">Of the last ${counted(last.looked, 'event')} of this account, ${number(last.changed)} would have been sent differently.${made.length > 0 ? html` Only Drift knows ${made.join(', ')} of a contact: here they are made up.` : ''}</p>
    ${differences.length === 0 ? html`<p>Nothing changes in this event.</p>` : differencesTable(differences)}
    <details><summary>The whole event</summary><div class="columns">
      <div><h3>As it is sent now</h3>${messages(before.messages, before.why)}</div>
      <div><h3>As it would be sent</h3>${messages(after.messages, after.why)}</div>
    </div></details>
    ${save}
  </section>`
}

function differencesTable(differences: readonly Difference[]): Html {
  const value = (one: Difference['before'], isThere: boolean) =>
    isThere ? html`<code>${JSON.stringify(one)}</code>` : html`<span class="faint">not sent</span>`
  return html`<div class="scroll"><table><thead><tr><th scope="col">Where</th><th scope="col">Now</th><th scope="col">With these options</th></tr></thead><tbody>
    ${differences.map((one) => html`<tr><th scope="row"><code>${one.at}</code></th><td>${value(one.before, 'before' in one)}</td><td>${value(one.after, 'after' in one)}</td></tr>`)}
  </tbody></table></div>`
}

function messages(all: readonly JsonObject[], why: string | undefined): Html {
  if (all.length === 0) return html`<p>Not sent: ${why}.</p>`
  return html`${all.map((message) => html`<pre>${JSON.stringify(message, undefined, 2)}</pre>`)}`
}

function form({ session, fields, destination }: MappingPage): Html {
  const box = (name: string, label: string, hint: string | Html) =>
    choice('checkbox', 'on', name, fields.on.includes(name), label, hint)
  return postForm(
    `${path}/preview`,
    session.csrf,
    html`<input type="hidden" name="destination" value="${destination.number}">
    <section class="card"><h2>Whose event it is</h2>
      ${box('userId', 'Send a userId', 'From the contact at Drift. Recommended where Drift knows your own id of a person as externalId.')}
      ${input('userIdAttribute', 'Attribute of the contact with your id of the person', { value: fields.userIdAttribute })}
      ${box('externalIds', 'Send the contact id as an external id', 'So that profiles in Segment Unify can join. Recommended.')}
      ${box('anonymousId', 'Use the visitor’s own anonymousId where Drift knows it', 'Needs the website script with “link”, to which your web developer adds the option writeAnonymousId: it writes the anonymousId to the contact.')}
      ${input('confirmed', `To use another attribute than externalId, or the visitor’s anonymousId, type: ${confirmation}`, { value: fields.confirmed, hint: 'A visitor can set any attribute of their own contact, and so become another person in Segment.', wide: true })}
      ${box('consent', 'Send consent with each event', 'From an attribute of the contact that your website sets.')}
      ${input('consentAttribute', 'Attribute with the consent categories', { value: fields.consentAttribute })}
      ${select(
        'consentOtherwise',
        'Where a contact has none',
        [
          ['send', 'Send without consent'],
          ['leave_out', 'Do not send'],
        ],
        fields.consentOtherwise,
      )}
    </section>
    <section class="card"><h2>Events and names</h2>
      <fieldset class="columns"><legend>Events that are sent</legend>
        ${[...catalogue.values()].map(({ type, when }) => choice('checkbox', 'types', type, fields.types.includes(type), type, when))}
      </fieldset>
      ${box('safeNames', 'Add names that warehouses keep', 'conversationId and agentId beside id and userId, which Segment’s warehouses drop. Recommended.')}
      ${box('liveChat', 'Also send Segment’s Live Chat events', 'Live Chat Conversation Started and Ended, in addition to the others.')}
      ${box('prefix', 'Use another beginning of event names', html`In place of “${usualPrefix.trim()}”.`)}
      ${input('prefix', 'Beginning of event names', { value: fields.prefix })}
      ${area('renameEvents', 'Other names of events', fields.renameEvents, `One a line, such as: ${types[0]} = Button Clicked`)}
      ${area('renameFields', 'Other names of properties and traits', fields.renameFields, 'One a line, such as: first_name = firstName')}
    </section>
    <section class="card"><h2>What is left out</h2>
      ${area('drop', 'Properties and traits that are not sent', fields.drop, 'One a line, by their original names, such as: ip')}
      ${area('hash', 'Properties and traits that are sent as a hash', fields.hash, 'SHA-256 of the text, trimmed and in lower case, as advertising tools expect it. One a line.')}
      ${area('attributes', 'The only attributes of contacts that are sent', fields.attributes, 'One a line. Empty: all of them.')}
    </section>
    <section class="card"><h2>Preview</h2>
      ${select(
        'event',
        'Example of',
        types.map((type) => [type, type] as const),
      )}
      ${input('message', 'Or an event of this account, by its message id', { hint: 'It shows personal data, and is noted in the audit.' })}
      <div class="row">${button('Preview', 'primary')}</div>
      <p class="small faint">Nothing is saved before you have seen what changes.</p>
    </section>`,
    'stack',
  )
}

function area(name: string, label: string, value: string, hint: string): Html {
  return html`<div class="field wide"><label for="${name}">${label}</label>
    <textarea id="${name}" name="${name}" rows="3" spellcheck="false" autocomplete="off" aria-describedby="${name}-hint">${value}</textarea>
    <span class="hint" id="${name}-hint">${hint}</span></div>`
}
