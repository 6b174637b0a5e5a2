/** The small pieces that pages are made of. */
import { html, raw } from 'hono/html'
import type { Shown } from '../../../storage/ports/lookup.ts'
import type { Html } from './layout.ts'
import { type Level, wordOf, words } from './vocabulary.ts'

export function badge(level: Level, word: string, size = ''): Html {
  return html`<span class="badge ${level} ${size}">${word}</span>`
}

export function stateBadge(shown: Pick<Shown, 'state' | 'reason'>): Html {
  const { label, level } = words[wordOf(shown)]
  return badge(level, label)
}

/** Says something at the top of a page; `action` is a button or a link that mends it. */
export function notice(level: Level, title: string, text: string | Html = '', action: Html | '' = ''): Html {
  return html`<div class="notice ${level}"><div><strong>${title}</strong>${text}</div>${action}</div>`
}

export function head(title: string, says: string | Html, action: Html | '' = ''): Html {
  return html`<div class="head"><div><h1>${title}</h1><p>${says}</p></div>${action}</div>`
}

/** A form that changes something: every one carries the session's secret. */
export function postForm(action: string, csrf: string, body: Html, kind = ''): Html {
  return html`<form method="post" action="${action}" class="${kind}"><input type="hidden" name="csrf" value="${csrf}">${body}</form>`
}

export function button(label: string, kind = ''): Html {
  return html`<button class="${kind}">${label}</button>`
}

/**
 * On a field whose content no browser and no password manager should fill in. `off` is not heeded for passwords;
 * `new-password` is, and the others are what 1Password, LastPass and Bitwarden heed.
 */
export const notFilledIn = raw('autocomplete="new-password" data-1p-ignore data-lpignore="true" data-bwignore="true"')

/** One that was refused has the focus, and so is in sight, wherever on the page it stands. */
export function input(
  name: string,
  label: string,
  { value = '', hint = '', type = 'text', wide = false, error = '', lengthMax = 200 } = {},
): Html {
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ')
  return html`<div class="field ${wide ? 'wide' : ''}">
  <label for="${name}">${label}</label>
  <input id="${name}" name="${name}" type="${type}" value="${value}" maxlength="${lengthMax}" ${type === 'password' ? notFilledIn : raw('autocomplete="off"')} spellcheck="false"${described ? html` aria-describedby="${described}"` : ''}${error ? html` aria-invalid="true" autofocus` : ''}>
  ${hint ? html`<span class="hint" id="${name}-hint">${hint}</span>` : ''}
  ${error ? html`<span class="error" id="${name}-error">${error}</span>` : ''}
</div>`
}

export function select(
  name: string,
  label: string,
  options: readonly (readonly [value: string, label: string])[],
  chosen = '',
): Html {
  return html`<div class="field">
  <label for="${name}">${label}</label>
  <select id="${name}" name="${name}">
    ${options.map(([value, text]) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${text}</option>`)}
  </select>
</div>`
}

/** One box of several, or one of which exactly one is chosen. */
export function choice(
  type: 'checkbox' | 'radio',
  name: string,
  value: string,
  checked: boolean,
  label: string | Html,
  hint: string | Html = '',
): Html {
  return html`<label class="choice"><input type="${type}" name="${name}" value="${value}"${checked ? html` checked` : ''}><span><strong>${label}</strong>${hint ? html`<span class="hint">${hint}</span>` : ''}</span></label>`
}

/** A moment in full: in UTC, which assets/time.js turns into the reader's own time. */
export function when(at: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${inUtc(at)}</time>`
}

/** A moment by its distance from `now`, with the time in full where the pointer rests. */
export function since(at: number, now: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}" data-ago title="${inUtc(at)}">${ago(at, now)}</time>`
}

/** For a sentence that is made of text alone. */
export function inUtc(at: number): string {
  const [, year, month, day, clock] = /^(\d+)-(\d\d)-(\d\d)T([\d:]{8})/.exec(new Date(at).toISOString())!
  return `${Number(day)} ${months[Number(month) - 1]} ${year}, ${clock} UTC`
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

const units: readonly [ms: number, word: string][] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
]

/** How long, in its largest unit: `3 minutes`. */
export function lasting(ms: number): string {
  const [size, word] = units.find(([unit]) => ms >= unit) ?? units.at(-1)!
  const many = Math.max(Math.floor(ms / size), 0)
  return `${many} ${word}${many === 1 ? '' : 's'}`
}

export function ago(at: number, now: number): string {
  return now - at < 1_000 ? 'just now' : `${lasting(now - at)} ago`
}

export function counted(many: number, one: string, several = `${one}s`): string {
  return `${number(many)} ${many === 1 ? one : several}`
}

export function number(many: number): string {
  return many.toLocaleString('en')
}
