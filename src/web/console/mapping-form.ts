/** The form of a destination's options: each field with what is wrong about it. */
import { html } from 'hono/html'
import type { Destination } from '../../accounts/destinations.ts'
import { catalogue } from '../../events/index.ts'
import { confirmation } from '../../mapping/identity.ts'
import { usualPrefix } from '../../mapping/prefix.ts'
import type { Session } from '../session.ts'
import { fieldLabels, labels, type MappingFields, type Wrong } from './mapping-fields.ts'
import type { Html } from './ui/layout.ts'
import { button, choice, input, notice, postForm, select } from './ui/parts.ts'

const types = [...catalogue.keys()]

export interface FormShown {
  session: Session
  destination: Destination
  fields: MappingFields
  /** What the admin asked to see: an example of a type or, where it is said, an event by its message id. */
  looksAt?: { event: string; message: string }
  /** At the fields that it names. */
  wrong?: readonly Wrong[]
}

export const noSuchEvent: Wrong = { field: 'message', says: 'This account has no event with this message id.' }

/** Stands at the top of the page, and leads to each field. */
export function wrongNotice(wrong: readonly Wrong[]): Html {
  const isOfPreview = wrong.every(({ field }) => field === 'message')
  const line = ({ field, says }: Wrong) =>
    html`<li>${field ? html`<a href="#${field}">${fieldLabels[field]}</a>: ` : ''}${says}</li>`
  return notice(
    'bad',
    isOfPreview ? 'There is no preview' : 'These options cannot be saved',
    html`<ul>${wrong.map(line)}</ul>`,
  )
}

export function mappingForm({ session, fields, destination, looksAt, wrong = [] }: FormShown): Html {
  const box = (name: keyof typeof labels, hint: string) =>
    choice('checkbox', 'on', name, fields.on.includes(name), labels[name], hint)
  const errorAt = (name: Wrong['field']) =>
    wrong
      .filter(({ field }) => field === name)
      .map(({ says }) => says)
      .join(' ')
  const line = (
    name: 'userIdAttribute' | 'confirmed' | 'consentAttribute' | 'prefix',
    more: Parameters<typeof input>[2] = {},
  ) => input(name, fieldLabels[name], { value: fields[name], error: errorAt(name), ...more })
  const lines = (name: 'renameEvents' | 'renameFields' | 'drop' | 'hash' | 'attributes', hint: string) =>
    area(name, fieldLabels[name], fields[name], hint, errorAt(name))
  return postForm(
    '/console/mapping/preview',
    session.csrf,
    html`<input type="hidden" name="destination" value="${destination.number}">
    <section class="card"><h2>Whose event it is</h2>
      ${box('userId', 'From the contact at Drift. Recommended where Drift knows your own id of a person as externalId.')}
      ${line('userIdAttribute')}
      ${box('externalIds', 'So that profiles in Segment Unify can join. Recommended.')}
      ${box('anonymousId', 'Needs the script of the page Website with “The visitor Segment knows” chosen there, and with the option writeAnonymousId, which your web developer adds to it: it then writes the anonymousId to the contact in Drift.')}
      ${line('confirmed', {
        hint: `Needed for another attribute than externalId, and for the visitor’s own anonymousId. Type: ${confirmation}. A visitor can set any attribute of their own contact, and so become another person in Segment.`,
        wide: true,
      })}
      ${box('consent', 'From an attribute of the contact that your website sets.')}
      ${line('consentAttribute')}
      ${select(
        'consentOtherwise',
        fieldLabels.consentOtherwise,
        [
          ['send', 'Send without consent'],
          ['leave_out', 'Do not send'],
        ],
        fields.consentOtherwise,
      )}
    </section>
    <section class="card"><h2>Events and names</h2>
      <fieldset class="columns" id="types"><legend>${labels.only}</legend>
        <p class="hint wide">What is not ticked here is kept, and not sent to this destination: it can be resent later. What is not ticked under “Events to send” on Connection is not even stored.</p>
        ${[...catalogue.values()].map(({ type, when }) => choice('checkbox', 'types', type, fields.types.includes(type), type, when))}
      </fieldset>
      ${box('safeNames', 'conversationId and agentId beside id and userId, which Segment’s warehouses drop. Recommended.')}
      ${box('liveChat', 'Live Chat Conversation Started and Ended, in addition to the others.')}
      ${box('prefix', `In place of “${usualPrefix.trim()}”.`)}
      ${line('prefix')}
      ${lines('renameEvents', `One a line, such as: ${types[0]} = Button Clicked`)}
      ${lines('renameFields', 'One a line, such as: first_name = firstName')}
    </section>
    <section class="card"><h2>What is left out</h2>
      ${lines('drop', 'One a line, by their original names, such as: ip')}
      ${lines('hash', 'SHA-256 of the text, trimmed and in lower case, as advertising tools expect it. One a line.')}
      ${lines('attributes', 'One a line. Empty: all of them.')}
    </section>
    <section class="card"><h2>Preview</h2>
      ${select(
        'event',
        'Example of',
        types.map((type) => [type, type] as const),
        looksAt?.event,
      )}
      ${input('message', fieldLabels.message, { value: looksAt?.message ?? '', hint: 'It shows personal data, and is noted in the audit.', error: errorAt('message') })}
      <div class="row">${button('Preview', 'primary')}</div>
      <p class="small faint">Nothing is saved before you have seen what changes.</p>
    </section>`,
    'stack',
  )
}

function area(name: string, label: string, value: string, hint: string, error: string): Html {
  return html`<div class="field wide"><label for="${name}">${label}</label>
    <textarea id="${name}" name="${name}" rows="3" spellcheck="false" autocomplete="off" aria-describedby="${name}-hint${error ? ` ${name}-error` : ''}"${error ? html` aria-invalid="true" autofocus` : ''}>${value}</textarea>
    <span class="hint" id="${name}-hint">${hint}</span>${error ? html`<span class="error" id="${name}-error">${error}</span>` : ''}</div>`
}
