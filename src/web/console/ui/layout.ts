/** The frame of every page: head, navigation, and the way out. Pages are functions from data to HTML. */
import { html } from 'hono/html'
import { type Asset, assetPath } from './assets.ts'
import { type Section, type SectionShown, sections } from './sections.ts'

/** What `html` makes: everything put into it has been escaped, but what is HTML already. */
export type Html = ReturnType<typeof html>

export interface Page {
  title: string
  /** Which part of the console it belongs to; none: a page that stands alone, such as sign-in. */
  section?: Section | undefined
  /** Whose console it is; a page without it has no navigation. */
  session?: { org: string; csrf: string } | undefined
  body: Html
  /** Scripts that make the page more comfortable, and their styles; it must work without them. */
  uses?: readonly Asset[]
}

export const product = 'Drift Segment Source'

/** A whole document. Nothing in it is inline script or style: the content security policy forbids both. */
export function page({ title, section, session, body, uses = [] }: Page): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>${title} · ${product}</title>
    <link rel="icon" type="image/svg+xml" href="${assetPath('icon.svg')}">
    <link rel="stylesheet" href="${assetPath('style.css')}">
    ${[...(session ? (['time.js'] as const) : []), ...uses].map((name) =>
      name.endsWith('.css')
        ? html`<link rel="stylesheet" href="${assetPath(name)}">`
        : html`<script defer src="${assetPath(name)}"></script>`,
    )}
  </head>
  <body class="${session ? 'console' : 'alone'}">
    <a class="skip" href="#main">Skip to content</a>
    <header class="side">
      <a class="brand" href="/console"><img src="${assetPath('icon.svg')}" alt="" width="28" height="28"><span>${product}</span></a>
      ${session ? navigation(session, section) : ''}
    </header>
    <main id="main" tabindex="-1">
      ${body}
    </main>
  </body>
</html>
`
}

/** A column at a desk; on a phone what the Menu button opens, without a script. */
function navigation({ org, csrf }: { org: string; csrf: string }, current: Section | undefined): Html {
  const all = Object.entries(sections) as [Section, SectionShown][]
  return html`<button class="menu" type="button" popovertarget="menu">Menu</button>
      <div class="panel" id="menu" popover>
        <nav aria-label="Console">
          <ul>${all.map(
            ([section, { path, name, group }]) =>
              html`<li>${group === undefined ? '' : html`<span class="group">${group}</span>`}<a href="${path}"${section === current ? html` aria-current="page"` : ''}>${name}</a></li>`,
          )}</ul>
        </nav>
        <div class="account">
          <p><span class="label">Drift account</span> <strong>${org}</strong></p>
          <button class="plain" type="button" data-times hidden></button>
          <form method="post" action="/console/sign-out"><input type="hidden" name="csrf" value="${csrf}"><button class="plain">Sign out</button></form>
        </div>
      </div>`
}
