/** How an event that is sent again becomes a call: a choice only once there is another mapping than today's. */
import { html } from 'hono/html'
import { optionsVersionOf } from '../../../accounts/options.ts'
import { hasEarlierMappings } from '../../../events/index.ts'
import type { Mapping } from '../../../operations/redrive.ts'
import type { Install } from '../../../storage/ports/accounts.ts'
import type { Html } from './layout.ts'
import { choice } from './parts.ts'

/** Whether events of this account may have been received under another mapping, or other options, than today's. */
export function hasMappingChoice(install: Install | undefined): boolean {
  return hasEarlierMappings || (install !== undefined && optionsVersionOf(install) > 0)
}

export function mappingOf(asked: string | undefined): Mapping {
  return asked === 'then' ? 'then' : 'today'
}

export function mappingChoice(chosen: Mapping, isChoice: boolean): Html {
  if (!isChoice) return html`<input type="hidden" name="mapping" value="today">`
  return html`<fieldset><legend>Options</legend>
    ${choice('radio', 'mapping', 'today', chosen === 'today', 'Today’s options', 'As an event that arrives now')}
    ${choice('radio', 'mapping', 'then', chosen === 'then', 'The options of then', 'As it was sent, or would have been, when it came')}
  </fieldset>`
}
