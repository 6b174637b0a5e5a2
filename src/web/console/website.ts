/** Website: the script that sends the chat widget's own events from the company's web pages. */
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { trimmed, unseenProblem } from '../../lib/pasted.ts'
import { judgeWriteKey } from '../../segment/key.ts'
import { bridgeScript, widgetEventNames } from '../bridge.ts'
import { formOf } from '../http/form.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { policyHash, snippet } from '../snippet.ts'
import { type Html, page } from './ui/layout.ts'
import { button, choice, head, input, notice, postForm } from './ui/parts.ts'

/** What the form asks for; '' where nothing is given. */
interface Wanted {
  identify: 'contact' | 'link'
  consent: 'granted' | 'pending'
  segment: string
  drift: string
  pinned: boolean
  /** One tag, without an inline script. */
  tag: boolean
}

interface SitePage {
  session: Session
  wanted: Wanted
  /** What is to be pasted. */
  tag: string
  /** What a Content Security Policy names for it, if it has inline scripts. */
  hash: string | undefined
  events: readonly string[]
  kilobytes: string
  wrong?: string | undefined
}

const asFirst: Wanted = { identify: 'contact', consent: 'granted', segment: '', drift: '', pinned: false, tag: false }

export function websiteRoutes(app: Hono<Web>, { publicUrl }: ConsoleNeeds): void {
  const pageOf = (session: Session, wanted: Wanted, more: Pick<SitePage, 'wrong'> = {}) => {
    const { segment, drift, tag: isTag, ...rest } = wanted
    const usable = more.wrong === undefined ? { ...(segment ? { segment } : {}), ...(drift ? { drift } : {}) } : {}
    const tag = snippet({ url: publicUrl(), as: isTag ? 'tag' : 'starter', ...rest, ...usable })
    const kilobytes = (bridgeScript.bytes.gzip / 1_000).toFixed(1)
    return sitePage({ session, wanted, tag, hash: policyHash(tag), events: widgetEventNames, kilobytes, ...more })
  }

  app.get('/console/website', (c) => c.html(pageOf(c.get('session'), asFirst)))

  // A POST, although it changes nothing: a key that was pasted by mistake must not stand in an address.
  app.post('/console/website', allowOldProof, async (c) => {
    const form = await formOf(c, ['identify', 'consent', 'segment', 'drift', 'pinned', 'tag'])
    const wanted: Wanted = {
      identify: form.identify === 'link' ? 'link' : 'contact',
      consent: form.consent === 'pending' ? 'pending' : 'granted',
      segment: trimmed(form.segment),
      drift: trimmed(form.drift),
      pinned: form.pinned !== '',
      tag: form.tag !== '',
    }
    const wrong = problemOf(wanted)
    return wrong ? c.html(pageOf(c.get('session'), wanted, { wrong }), 422) : c.html(pageOf(c.get('session'), wanted))
  })
}

function problemOf({ segment, drift }: Wanted): string | undefined {
  const ofKey = segment === '' ? undefined : judgeWriteKey(segment)
  if (ofKey?.is === 'refused') return `Not used: ${ofKey.why}.`
  const ofDrift = unseenProblem(drift)
  if (ofDrift) return `Drift's embed id ${ofDrift}.`
  return /^[\w-]{0,200}$/.test(drift) ? undefined : "Drift's embed id has letters, digits, - and _ only."
}

function sitePage({ session, wanted, tag, hash, events, kilobytes, wrong }: SitePage): Html {
  return page({
    title: 'Website',
    section: 'website',
    session,
    uses: ['copy.js'],
    body: html`${head('Website', 'A script on your website sends what visitors do in the chat widget from their browser to Segment.')}
    <div class="stack">
      ${wrong ? notice('warn', 'The script was not changed', wrong) : ''}
      <section class="card">
        <div class="cardhead"><h2>Script for your website</h2><button data-copy="tag" class="primary" hidden>Copy</button></div>
        <pre id="tag" tabindex="0">${tag}</pre>
        <p class="small faint">Add it to every page with the chat, before or after the tags of Drift and Segment. It loads a file of ${kilobytes} kB and sets no cookie. ${wanted.tag ? '' : 'Its second part sends the events as long as this service does not answer.'}</p>
        ${hash ? html`<p class="small faint">If your pages have a Content Security Policy, its script-src needs: <code>${hash}</code></p>` : ''}
      </section>
      ${postForm('/console/website', session.csrf, options(wanted), 'card stack')}
      <section class="card"><h2>Events that it sends</h2>
        <p class="faint">A Track call for each of these events of the widget, named <code>Drift Source Event: …</code>:</p>
        <ul class="row">${events.map((name) => html`<li><code>${name}</code></li>`)}</ul>
      </section>
    </div>`,
  })
}

function options({ identify, consent, segment, drift, pinned, tag }: Wanted): Html {
  return html`<h2>Options</h2>
    <fieldset><legend>Who the events belong to</legend>
      ${choice('radio', 'identify', 'contact', identify === 'contact', 'The Drift contact', 'Segment’s anonymousId becomes the Drift contact id as soon as it is known, the same as for events from Drift’s servers, so both join.')}
      ${choice('radio', 'identify', 'link', identify === 'link', 'The visitor Segment knows', 'Segment’s own anonymousId stays. The Drift contact id is sent beside it in context.externalIds.')}
    </fieldset>
    <fieldset><legend>Consent</legend>
      ${choice('radio', 'consent', 'granted', consent === 'granted', 'Send at once', 'For websites that ask for consent before they load this script.')}
      ${choice('radio', 'consent', 'pending', consent === 'pending', 'Wait until it is given', 'Events are kept in the page until your page calls driftSegmentBridge.consent(…).')}
    </fieldset>
    <div class="filter top">
      ${input('segment', "Write key of the site's Segment source", { value: segment, wide: true, hint: 'Only if the page does not load Segment itself. Visitors can see it: never use the write key of Connection.' })}
      ${input('drift', "Drift's embed id", { value: drift, wide: true, hint: 'Only if the page does not load Drift itself.' })}
    </div>
    ${choice('checkbox', 'pinned', 'yes', pinned, 'Pin this version (Subresource Integrity)', 'The browser loads the file only if it is unchanged. Create the script again before ten more versions of this service have come.')}
    ${choice('checkbox', 'tag', 'yes', tag, 'Without an inline script', 'One tag, for pages that allow no inline script. Events before its file has loaded are lost.')}
    <div class="row">${button('Create script', 'primary')}</div>`
}
