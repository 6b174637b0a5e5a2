/** The two pages behind one entry of the navigation. */
import { html } from 'hono/html'
import type { Html } from './ui/layout.ts'

export function privacyTabs(current: 'privacy' | 'audit'): Html {
  const tab = (name: typeof current, path: string, label: string) =>
    html`<li><a href="${path}"${name === current ? html` aria-current="page"` : ''}>${label}</a></li>`
  return html`<nav aria-label="Privacy and audit"><ul class="states pages">${tab('privacy', '/console/privacy', 'Privacy')}${tab('audit', '/console/audit', 'Audit')}</ul></nav>`
}
