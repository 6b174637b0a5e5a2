/** The question whether a write key is meant: it is not the one that the page spoke of, or does not look like one. */
import { html } from 'hono/html'
import type { Html } from './layout.ts'
import { button, notice, postForm } from './parts.ts'

/** A write key that went to the browser sealed: it can be saved without being pasted again, and cannot be read there. */
export interface HeldKey {
  held: string
  fingerprint: string
}

export interface KeyQuestion {
  /** What stood in the field. */
  given: HeldKey
  /** The key that the page spoke of, where it spoke of one. */
  known: (HeldKey & { word: 'tested' | 'saved' }) | undefined
  /** What is unusual about the given one. */
  warning: string | undefined
}

export interface KeyQuestionForm {
  action: string
  csrf: string
  /** What else the form said: it is sent again with the answer. */
  fields: Readonly<Record<string, string>>
  /** Where one starts again. */
  back: string
}

export function keyQuestion(
  { given, known, warning }: KeyQuestion,
  { action, csrf, fields, back }: KeyQuestionForm,
): Html {
  const save = (label: string, kind: string, chosen: string) =>
    postForm(
      action,
      csrf,
      html`${Object.entries({ ...fields, chosen }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${button(label, kind)}`,
    )
  const [title, text] = known
    ? [
        'Not saved yet. Which write key do you mean?',
        html`The field held another write key (fingerprint <code>${given.fingerprint}</code>) than the one that ${known.word === 'tested' ? 'you tested' : 'is saved'} (fingerprint <code>${known.fingerprint}</code>). If you did not paste it, your browser or a password manager filled it in.${warning ? html` ${warning}` : ''}`,
      ]
    : ['Is this a write key?', html`${warning} Nothing was saved yet.`]
  // Between the saved key and a new one neither answer stands out: one that did was pressed to save the new one.
  const answers = !known
    ? save('Save it anyway', '', given.held)
    : known.word === 'tested'
      ? html`${save('Save the tested key', 'primary', known.held)}${save('Save the other key', '', given.held)}`
      : html`${save('Keep the saved key', '', known.held)}${save('Replace it with the new key', '', given.held)}`
  // It has the focus, and so is in sight, wherever on the page it stands.
  return html`<div class="stack" tabindex="-1" autofocus>${notice('warn', title, text)}
    <div class="row">
      ${answers}
      <a class="button${known ? '' : ' primary'}" href="${back}">Paste it again</a>
    </div></div>`
}
