/** How an event that is sent again becomes a call: a choice only once an event's page has an earlier mapping. */
import { html } from 'hono/html'
import { hasEarlierMappings } from '../../events/index.ts'
import type { Mapping } from '../../operations/redrive.ts'
import type { Html } from '../console/ui/layout.ts'
import { choice } from '../console/ui/parts.ts'

export function mappingChoice(chosen: Mapping = 'today', isChoice = hasEarlierMappings): Html {
  if (!isChoice) return html`<input type="hidden" name="mapping" value="today">`
  return html`<fieldset><legend>How it becomes a call</legend>
    ${choice('radio', 'mapping', 'today', chosen === 'today', "With today's mapping", 'as an event would be sent that arrives now')}
    ${choice('radio', 'mapping', 'then', chosen === 'then', 'As mapped then', 'exactly as it was sent, or would have been, when it came')}
  </fieldset>`
}
