/** Site: the tag that sends the chat widget's own events from the company's web pages. */
import { html } from 'hono/html'
import type { Session } from '../session.ts'
import { type Html, page } from './layout.ts'
import { button, choice, head, input, notice, postForm } from './parts.ts'

/** What the form asks for; '' where nothing is given. */
export interface Wanted {
  identify: 'contact' | 'link'
  consent: 'granted' | 'pending'
  segment: string
  drift: string
  pinned: boolean
}

export interface SitePage {
  session: Session
  wanted: Wanted
  /** The finished tag. */
  tag: string
  events: readonly string[]
  kilobytes: string
  wrong?: string | undefined
}

export function sitePage({ session, wanted, tag, events, kilobytes, wrong }: SitePage): Html {
  return page({
    title: 'Site',
    section: 'site',
    session,
    uses: ['copy.js'],
    body: html`${head('Site', 'One tag in your web pages sends what visitors do in the chat itself, from their browser.')}
    <div class="stack">
      ${wrong ? notice('warn', 'This cannot stand in a tag', wrong) : ''}
      <section class="card">
        <div class="cardhead"><h2>The tag for your pages</h2><button data-copy="tag" class="primary" hidden>Copy</button></div>
        <pre id="tag" tabindex="0">${tag}</pre>
        <p class="small faint">Put it into every page with the chat, before or after Drift's and Segment's own tags. ${kilobytes} kB, no cookies of its own, no other site involved.</p>
      </section>
      ${postForm('/console/site', session.csrf, options(wanted), 'card stack')}
      <section class="card"><h2>What it sends</h2>
        <p class="faint">A Track for each of these, called <code>Drift Source Event: …</code>, with the ids that Drift's widget names:</p>
        <ul class="row">${events.map((name) => html`<li><code>${name}</code></li>`)}</ul>
      </section>
    </div>`,
  })
}

function options({ identify, consent, segment, drift, pinned }: Wanted): Html {
  return html`<h2>Make it yours</h2>
    <fieldset><legend>Whose events they are</legend>
      ${choice('radio', 'identify', 'contact', identify === 'contact', 'The Drift contact', "Segment's anonymousId becomes the contact id as soon as it is known, as it is for the events from Drift's servers: both join by themselves.")}
      ${choice('radio', 'identify', 'link', identify === 'link', 'The visitor Segment knows', "Segment's own anonymousId stays, and the contact id travels beside it in context.externalIds: nothing of your visitors' history moves.")}
    </fieldset>
    <fieldset><legend>Consent</legend>
      ${choice('radio', 'consent', 'granted', consent === 'granted', 'Send at once', 'for sites that ask before they load any of this')}
      ${choice('radio', 'consent', 'pending', consent === 'pending', 'Wait until it is given', 'events are kept in the page until it calls driftSegmentBridge.consent(…)')}
    </fieldset>
    <div class="filter top">
      ${input('segment', "Write key of the site's Segment source", { value: segment, wide: true, hint: 'Only where the page does not load Segment itself. Everybody can see it there: never the write key of Settings.' })}
      ${input('drift', "Drift's embed id", { value: drift, wide: true, hint: 'Only where the page does not load Drift itself.' })}
    </div>
    ${choice('checkbox', 'pinned', 'yes', pinned, "Today's bytes and no others", 'The browser checks the hash; after an update of this service the tag must be changed.')}
    <div class="row">${button('Make the tag', 'primary')}</div>`
}
