/** What a person pastes into the search box: an id of Drift's, a message id, or the address of a page of Drift. */
import { unseenProblem } from '../../lib/pasted.ts'
import type { Query } from '../../storage/ports/lookup.ts'

export type SearchTerm = Pick<Query, 'message' | 'contact' | 'conversation' | 'either'>

const noneInAddress =
  'No contact and no conversation is in this address. Open one of them in Drift, and copy the address from there.'

/** Longer than any address of Drift's and any messageId. */
const lengthMax = 500

const anything = 'Enter a contact id, a conversation id or a message id, or paste the address of a page of Drift.'

/**
 * What is looked for; nothing for an empty box; or why the text says nothing that could be looked for. `takes`: what the box
 * takes, in a sentence.
 */
export function searchTermIn(typed: string, takes = anything): SearchTerm | { wrong: string } {
  const text = typed.trim()
  if (text === '') return {}
  const unseen = unseenProblem(text)
  if (unseen) return { wrong: `What was entered ${unseen}.` }
  if (text.length > lengthMax) return { wrong: 'What was entered is longer than any id or address.' }
  if (/^\d{1,19}$/.test(text)) return { either: text }
  // Behind a dot stands which destination and which sending it was, of the same event.
  const message = /^(drift-[\w-]{1,90})(\.[\w.]{1,20})?$/.exec(text)
  if (message) return { message: message[1]! }
  if (text.includes('/')) return inAddress(text) ?? { wrong: takes === anything ? noneInAddress : takes }
  return text.includes('@')
    ? {
        wrong:
          'People are found by their contact id, not by e-mail address: it is in the address of their page in Drift.',
      }
    : { wrong: takes }
}

function inAddress(text: string): SearchTerm | undefined {
  const conversation = /\/conversations?\/(?:[a-z]+\/)?(\d{1,19})(?!\d)/i.exec(text)
  if (conversation) return { conversation: conversation[1]! }
  const contact = /\/contacts?\/(?:[a-z]+\/)?(\d{1,19})(?!\d)/i.exec(text)
  return contact ? { contact: contact[1]! } : undefined
}
