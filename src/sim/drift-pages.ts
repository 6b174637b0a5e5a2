/** What a simulated Drift shows to people: all that it knows, and its settings page, where apps are seen and taken away. */
import { type DriftState, liveGrant, revoke } from './drift-state.ts'
import { clockTime, html, page, table } from './page.ts'
import type { Received, Reply } from './server.ts'
import type { Sent, WebhookSender } from './webhook-sender.ts'

export function statusPage(
  { orgs, accessTokens }: DriftState,
  sent: readonly Sent[],
  requests: readonly Received[],
  hasShop: boolean,
): Reply {
  const grants = [...accessTokens.values()]
  const accounts = [...orgs.values()].map(({ orgId, name, conversations, contacts }) => {
    const tokens = grants.filter((grant) => grant.orgId === orgId).length
    return [orgId, name, tokens, conversations.size, contacts.size]
  })
  const webhooks = sent.map(({ at, type, to, status, answer }) => [clockTime(at), type, to, status, answer])
  const calls = requests.map((one) => [clockTime(one.receivedAt), `${one.method} ${one.path}`, one.status])
  const shop = html`<p>A shop with a chat, and what reaches Segment from there: <a href="/demo/site">/demo/site</a></p>\n`
  const content = [
    html`<p>What an admin sees, and a hand for events: <a href="/settings/apps">/settings/apps</a></p>\n`,
    ...(hasShop ? [shop] : []),
    table('Accounts', ['orgId', 'name', 'access tokens', 'conversations', 'contacts'], accounts),
    table('Webhooks sent', ['sent', 'type', 'to', 'answered', 'answer'], webhooks),
    table('Requests', ['received', 'request', 'answered'], calls),
  ]
  return page('Simulated Drift', html`${content}`)
}

/** Where an install ends. What is connected can be taken away here, and events of the account can be sent. */
export function appsPage(state: DriftState, types: readonly string[]): Reply {
  const { requestUrl } = state.settings
  const accounts = [...state.orgs.values()].map(({ orgId, name }) => {
    const button = (value: string, label: string) => html`<button name="press" value="${value}">${label}</button>\n`
    const events = types.map((type) => button(type, type))
    const connected = html`<p>The app is connected. ${button('disconnect', 'Disconnect it')}</p>`
    const buttons = html`${isConnected(state, orgId) ? connected : html`<p>No app is connected.</p>`}
<p>Send an event of this account: ${events}</p>`
    return html`<form method="post" action="/settings/apps"><h2>${name} (${orgId})</h2>
<input type="hidden" name="orgId" value="${orgId}">${requestUrl === undefined ? html`` : buttons}</form>\n`
  })
  const to = html`<p>The app's request URL is ${requestUrl ?? 'not known to this Drift, so nothing can be sent'}.
What was sent, and what was answered: <a href="/">/</a></p>`
  return page('Simulated Drift: apps', html`${to}\n${accounts}`)
}

/** Counted when pressed: what was sent is counted only when it was answered. */
let presses = 0

/** `POST /settings/apps`: an app that is taken away loses its tokens first, and gets its webhook then. */
export function pressApps(
  state: DriftState,
  { body }: Received,
  { send }: WebhookSender,
  types: readonly string[],
): Reply {
  const form = new URLSearchParams(body)
  const orgId = Number(form.get('orgId'))
  const pressed = form.get('press') ?? ''
  const to = state.settings.requestUrl
  if (to !== undefined && state.orgs.has(orgId)) {
    if (pressed === 'disconnect') {
      for (const grant of [...state.accessTokens.values()]) if (grant.orgId === orgId) revoke(state, grant)
      void send({ type: 'app_disconnected', orgId, data: {} }, { to })
    }
    // Each time another one: the same again would be taken for a repeat.
    if (types.includes(pressed)) void send(pressed, { to, orgId, vary: ++presses })
  }
  return { status: 303, headers: { location: '/settings/apps' } }
}

function isConnected(state: DriftState, orgId: number): boolean {
  return [...state.accessTokens.values()].some(
    (grant) => grant.orgId === orgId && liveGrant(state, grant.accessToken) !== undefined,
  )
}
