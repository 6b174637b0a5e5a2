/** How an event that is sent again becomes a call: a choice only once an event's page has an earlier mapping. */
import { html } from 'hono/html'
import { hasEarlierMappings } from '../../../events/index.ts'
import type { Mapping } from '../../../operations/redrive.ts'
import type { Html } from './layout.ts'
import { choice } from './parts.ts'

export function mappingChoice(chosen: Mapping = 'today', isChoice = hasEarlierMappings): Html {
  if (!isChoice) return html`<input type="hidden" name="mapping" value="today">`
  return html`<fieldset><legend>Mapping</legend>
    ${choice('radio', 'mapping', 'today', chosen === 'today', 'Today’s mapping', 'As an event that arrives now')}
    ${choice('radio', 'mapping', 'then', chosen === 'then', 'The mapping of its receipt', 'Exactly as it was sent, or would have been, when it came')}
  </fieldset>`
}
