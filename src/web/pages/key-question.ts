/** The question which write key is meant, where a form came back with another one than the page spoke of. */
import { html } from 'hono/html'
import type { Html } from './layout.ts'
import { button, notice, postForm } from './parts.ts'

/** A write key that went to the browser sealed: it can be saved without being pasted again, and nobody can read it. */
export interface HeldKey {
  held: string
  fingerprint: string
}

export interface KeyQuestion {
  /** What stood in the field. */
  given: HeldKey
  /** The key that the page spoke of. */
  known: HeldKey & { word: 'tested' | 'saved' }
}

export interface KeyQuestionForm {
  action: string
  csrf: string
  /** What else the form said: it is sent again with the answer. */
  fields: Readonly<Record<string, string>>
  /** Where one starts again. */
  back: string
}

export function keyQuestion({ given, known }: KeyQuestion, { action, csrf, fields, back }: KeyQuestionForm): Html {
  const save = (label: string, kind: string, chosen: string) =>
    postForm(
      action,
      csrf,
      html`${Object.entries({ ...fields, chosen }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${button(label, kind)}`,
    )
  const text = html`The field held another write key (fingerprint <code>${given.fingerprint}</code>) than the one that ${known.word === 'tested' ? 'you tested' : 'is saved'} (fingerprint <code>${known.fingerprint}</code>). If you did not paste it, your browser or a password manager filled it in. Nothing was saved yet.`
  return html`${notice('warn', 'Which write key do you mean?', text)}
    <div class="row">
      ${save(known.word === 'tested' ? 'Save the tested key' : 'Keep the saved key', 'primary', known.held)}
      ${save('Save the other key', '', given.held)}
      <a class="button quiet" href="${back}">Paste it again</a>
    </div>`
}
