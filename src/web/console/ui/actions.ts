/** What a page offers to mend something: each a link or a button that does it. */
import { html } from 'hono/html'
import type { Html } from './layout.ts'
import { button, postForm } from './parts.ts'

export interface Action {
  by: 'link' | 'post'
  to: string
  label: string
  /** Of a form that is about one of several destinations. */
  destination?: number
  /** Of a form that leads back to an event: its messageId. */
  event?: string
}

export const resume: Action = { by: 'post', to: '/console/resume', label: 'Resume' }
export const retry: Action = { by: 'post', to: '/console/retry', label: 'Retry now' }
export const testKey: Action = { by: 'post', to: '/console/connection/test', label: 'Send test event' }
export const enterKey: Action = { by: 'link', to: '/console/connection#segment', label: 'Enter write key' }
export const replaceKey: Action = { by: 'link', to: '/console/connection#segment', label: 'Replace write key' }
export const viewDestinations: Action = {
  by: 'link',
  to: '/console/connection#segment',
  label: 'View destinations',
}
export const chooseEvents: Action = { by: 'link', to: '/console/connection#events', label: 'Choose events' }
export const reconnect: Action = { by: 'link', to: '/connect?from=console', label: 'Reconnect to Drift' }
export const disconnect: Action = { by: 'link', to: '/console/connection#disconnect', label: 'Disconnect' }

/** `url`: Drift's own page. */
export function openApps(url: string): Action {
  return { by: 'link', to: url, label: 'Open apps in Drift' }
}

/** A list of events, by a state of its address; '' for all of them. */
export function viewList(state: string, label: string): Action {
  return { by: 'link', to: state ? `/console/events?state=${state}` : '/console/events', label }
}

/** In a row, in the order in which they are given: the first one stands out. */
export function actionsRow(actions: readonly Action[], csrf: string): Html | '' {
  if (actions.length === 0) return ''
  return html`<div class="row">${actions.map((action, at) => actionOf(action, csrf, at === 0 ? 'primary' : ''))}${resumeOrRetry(actions)}</div>`
}

/** For what each is, where both are offered. */
export function resumeOrRetry(actions: readonly Pick<Action, 'to'>[]): Html | '' {
  const isOffered = (one: Action) => actions.some(({ to }) => to === one.to)
  if (!isOffered(resume) || !isOffered(retry)) return ''
  return html`<span class="small faint">Retry now tries one event; if it is accepted, the rest follows. Resume sends all that waits.</span>`
}

export function actionOf({ by, to, label, destination, event }: Action, csrf: string, kind = ''): Html {
  const fields = Object.entries({ destination, event }).map(([name, value]) =>
    value === undefined ? '' : html`<input type="hidden" name="${name}" value="${value}">`,
  )
  if (by === 'post') return postForm(to, csrf, html`${fields}${button(label, kind)}`)
  const elsewhere = to.startsWith('/') ? '' : html` rel="noreferrer noopener" target="_blank"`
  return html`<a class="button ${kind}" href="${to}"${elsewhere}>${label}</a>`
}
