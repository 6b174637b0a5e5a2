/** The preview of what is sent: what options that are not saved make of one event, and of the last thousand. */
import { html } from 'hono/html'
import type { Destination } from '../../accounts/destinations.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Options } from '../../mapping/options.ts'
import { type Changes, changesSaid, type Difference, type Preview } from '../../operations/preview.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Session } from '../session.ts'
import type { Html } from './ui/layout.ts'
import { button, choice, postForm } from './ui/parts.ts'

export interface Shown {
  preview: Preview
  type: string
  options: Options
  last: Changes
  /** It drops or hashes what the saved options do not. */
  asksForQueued: boolean
}

/** What the options that were judged make of an event, and the form that saves them. */
export function previewCard(
  { preview: found, type, options, last, asksForQueued }: Shown,
  given: { session: Session; install: Install; destination: Destination },
): Html {
  const { session, install, destination } = given
  const { before, after, differences, examples } = found
  const made = Object.keys(examples)
  const save = postForm(
    `/console/mapping/save`,
    session.csrf,
    html`<input type="hidden" name="options" value="${JSON.stringify(options)}"><input type="hidden" name="generation" value="${install.generation}"><input type="hidden" name="destination" value="${destination.number}">
    ${asksForQueued ? choice('checkbox', 'queued', 'yes', true, 'Also for queued events', 'What these options leave out or hash is left out or hashed in events that are queued already as well.') : ''}
    <div class="row">${button('Save', 'primary')}<a class="button" href="/console/mapping?destination=${destination.number}">Discard</a></div>`,
    'stack',
  )
  return html`<section class="card" id="preview">
    <h2>Preview: ${found.of === 'fixture' ? html`an example of ${type}` : 'an event of this account'}</h2>
    <p class="faint">${changesSaid(last)}${made.length > 0 ? html` Only Drift knows ${made.join(', ')} of a contact: here they are made up.` : ''}</p>
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
