/** What an event's state is called wherever an admin reads: lists, filters, cards, charts and documents have no other words. */
import { deletionType } from '../../../drift/envelope.ts'
import type { Shown } from '../../../storage/ports/lookup.ts'
import { isOfAccount } from './reasons.ts'

/** Each has a colour of its own in the sheet, the same in badges, notices and bars. */
export type Level = 'good' | 'info' | 'warn' | 'bad' | 'odd' | 'ask' | 'idle'

export type Word =
  | 'delivered'
  | 'queued'
  | 'blocked'
  | 'lookingUp'
  | 'notRecognized'
  | 'deletion'
  | 'failed'
  | 'ignored'
  | 'expired'

/** `means`: what the word says of an event, as a clause. */
export const words: Readonly<Record<Word, { label: string; level: Level; means: string }>> = {
  delivered: { label: 'Delivered', level: 'good', means: 'its destination accepted it' },
  queued: { label: 'Queued', level: 'info', means: 'it will be sent, no action needed' },
  blocked: {
    label: 'Blocked',
    level: 'warn',
    means: 'it is kept until its account or destination is no longer refused, paused, or without a write key',
  },
  lookingUp: { label: 'Looking up', level: 'info', means: 'Drift is asked which contact it belongs to' },
  notRecognized: { label: 'Not recognized', level: 'odd', means: 'it does not read as an event that Drift documents' },
  deletion: { label: 'Deletion request', level: 'ask', means: 'Drift asks to delete a person, which people must do' },
  failed: { label: 'Failed', level: 'bad', means: 'it was refused for a reason of its own' },
  ignored: { label: 'Ignored', level: 'idle', means: 'it was not meant to be sent' },
  expired: {
    label: 'Expired',
    level: 'idle',
    means: 'before it was sent, it was erased, it became too old, or its destination was removed',
  },
}

/** The word for an event as the store shows it. */
export function wordOf({ state, reason }: Pick<Shown, 'state' | 'reason'>): Word {
  switch (state) {
    case 'waiting':
      return reason === undefined ? 'queued' : 'blocked'
    case 'asking':
      return isOfAccount(reason) ? 'blocked' : 'lookingUp'
    // It is taken over as soon as its account is installed.
    case 'unclaimed':
      return 'queued'
    case 'quarantined':
      return reason === deletionType ? 'deletion' : 'notRecognized'
    case 'dead':
      return 'failed'
    case 'not_given':
      return 'ignored'
    default:
      return state
  }
}
