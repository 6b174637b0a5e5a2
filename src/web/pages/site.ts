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
  /** One tag, without an inline script. */
  tag: boolean
}

export interface SitePage {
  session: Session
  wanted: Wanted
  /** The finished tag. */
  tag: string
  /** What a Content Security Policy names for it, if it has an inline script. */
  hash: string | undefined
  events: readonly string[]
  kilobytes: string
  wrong?: string | undefined
}

export function sitePage({ session, wanted, tag, hash, events, kilobytes, wrong }: SitePage): Html {
  return page({
    title: 'Site',
    section: 'site',
    session,
    uses: ['copy.js'],
    body: html`${head('Site', 'A script in your web pages sends what visitors do in the chat itself, from their browser.')}
    <div class="stack">
      ${wrong ? notice('warn', 'This cannot stand in a page', wrong) : ''}
      <section class="card">
        <div class="cardhead"><h2>The script for your pages</h2><button data-copy="tag" class="primary" hidden>Copy</button></div>
        <pre id="tag" tabindex="0">${tag}</pre>
        <p class="small faint">Put it into every page with the chat, before or after Drift's and Segment's own tags. The file that it loads has ${kilobytes} kB and sets no cookie.</p>
        ${hash ? html`<p class="small faint">Where your pages have a Content Security Policy, their developer names this in script-src: <code>${hash}</code></p>` : ''}
      </section>
      ${postForm('/console/site', session.csrf, options(wanted), 'card stack')}
      <section class="card"><h2>What it sends</h2>
        <p class="faint">A Track for each of these, called <code>Drift Source Event: …</code>, with the ids that Drift's widget names:</p>
        <ul class="row">${events.map((name) => html`<li><code>${name}</code></li>`)}</ul>
      </section>
    </div>`,
  })
}

function options({ identify, consent, segment, drift, pinned, tag }: Wanted): Html {
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
    ${choice('checkbox', 'pinned', 'yes', pinned, "Today's bytes and no others", 'The browser checks the hash. After ten further versions of this service the script must be made again.')}
    ${choice('checkbox', 'tag', 'yes', tag, 'Without an inline script', 'One tag, for pages that allow no inline script. What the chat says before its file has come is lost.')}
    <div class="row">${button('Make the script', 'primary')}</div>`
}
