/** The page behind the link of a mail: its reader agrees to get alerts at that address. It needs no session. */
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { confirmRecipient, recipientToConfirm } from '../alerts/confirm.ts'
import { type Html, page } from './console/ui/layout.ts'
import { secretAddress } from './http/headers.ts'
import type { AppNeeds } from './needs.ts'
import type { Web } from './session.ts'

export function confirmAlertsRoutes(app: Hono<Web>, { storage, keyring, clock, alerts }: AppNeeds): void {
  const needs = { storage, keyring, clock, wake: () => alerts.wake() }
  app.use('/alerts/confirm/:token', secretAddress)

  // Looking at a link, as mail scanners and previews do, confirms nothing.
  app.get('/alerts/confirm/:token', async (c) => {
    const recipient = await recipientToConfirm(needs, c.req.param('token'))
    if (!recipient) return c.html(gonePage(), 410)
    return c.html(recipient.isConfirmed ? confirmedPage() : unconfirmedPage(recipient.address ?? 'this address'))
  })

  app.post('/alerts/confirm/:token', async (c) => {
    const isConfirmed = await confirmRecipient(needs, c.req.param('token'))
    return isConfirmed ? c.html(confirmedPage()) : c.html(gonePage(), 410)
  })
}

function unconfirmedPage(address: string): Html {
  const body = html`<section class="card"><h1>Get alerts?</h1>
    <p>An admin of a Drift account entered <strong>${address}</strong> to receive alerts: when events from Drift do not reach Segment, and when they do again.</p>
    <form method="post"><button class="primary">Get alerts</button></form>
    <p class="hint">If you do not want them, close this page: nothing is sent to you.</p></section>`
  return page({ title: 'Get alerts', body })
}

function confirmedPage(): Html {
  const body = html`<section class="card"><h1>Confirmed</h1>
    <p>Alerts are sent to this address from now on. An admin can remove it in the console, under Alerts.</p></section>`
  return page({ title: 'Confirmed', body })
}

function gonePage(): Html {
  const body = html`<section class="card"><h1>This link does not work</h1>
    <p>It is older than three days, or the address was removed. An admin can enter the address again in the console, under Alerts.</p></section>`
  return page({ title: 'Link expired', body })
}
