/** What becomes of a delivered event that is sent again: Segment drops a messageId that it has seen. */
import { html } from 'hono/html'
import type { Html } from './layout.ts'
import { choice } from './parts.ts'

export type As = 'repeat' | 'new'

export function asOf(asked: string | undefined): As {
  return asked === 'new' ? 'new' : 'repeat'
}

export function asChoice(chosen: As = 'repeat'): Html {
  return html`<fieldset><legend>Delivered already</legend>
    ${choice('radio', 'as', 'repeat', chosen === 'repeat', 'Repeat', 'Same message id: Segment drops it if it has it, for at least a day. It arrives if it was lost on the way.')}
    ${choice('radio', 'as', 'new', chosen === 'new', 'Send as new', 'New message id: it is counted once more.')}
  </fieldset>`
}
