/** Audit: who did what to this account, and when. */
import { html } from 'hono/html'
import type { Deed } from '../../storage/ports/accounts.ts'
import { type Html, page } from '../console/ui/layout.ts'
import { head, when } from '../console/ui/parts.ts'
import type { Session } from '../session.ts'

export interface AuditPage {
  session: Session
  deeds: readonly Deed[]
  /** How many are asked for next, when there may be more. */
  more: number | undefined
}

export function auditPage({ session, deeds, more }: AuditPage): Html {
  return page({
    title: 'Audit',
    section: 'privacy',
    session,
    body: html`${head('Audit', 'Everything that somebody did to this account: sign-ins, keys, pauses, redrives, looks at personal data. Nothing here can be changed.')}
    <div class="stack">
      <section class="card sheet" aria-label="Deeds">${
        deeds.length === 0
          ? html`<p class="empty"><strong>Nothing yet</strong>What somebody does here is written down here.</p>`
          : html`<table class="cards"><thead><tr><th scope="col">When (UTC)</th><th scope="col">What</th><th scope="col">About</th><th scope="col">Who</th></tr></thead>
            <tbody>${deeds.map(row)}</tbody></table>`
      }</section>
      ${more === undefined ? '' : html`<nav class="pager" aria-label="Pages"><span></span><a class="button" href="/console/audit?show=${more}">Show more</a></nav>`}
    </div>`,
  })
}

function row({ at, who, what, about = '' }: Deed): Html {
  const isMessage = about.startsWith('drift-')
  const told = isMessage
    ? html`<a href="/console/events/${about}" class="mono">${about}</a>`
    : about || html`<span class="faint">–</span>`
  return html`<tr>
    <td data-label="When">${when(at)}</td>
    <td data-label="What">${what}</td>
    <td data-label="About">${told}</td>
    <td data-label="Who" class="faint">${who}</td>
  </tr>`
}
