/** What keeping says otherwise than in version 1: a lane that only rests, such as for a contact that Drift is asked about, is woken. */
import { append } from './append.ts'
import { wake } from './lanes.ts'
import { type Edition, editedText } from './version-2.ts'

/** A lane of either kind that waits for nothing but its own entries; one that backs off stays as it is. */
const resting = (l: string, at: string) =>
  [
    `${l}.lane = 'ask' AND ${l}.failures = 0 AND ${l}.blocked IS NULL AND ${l}.ready_at > ${at}`,
    `${l}.failures = 0 AND ${l}.crashes = 0 AND ${l}.blocked IS NULL AND ${l}.ready_at > ${at} AND coalesce(${l}.retry_after_at, 0) <= ${at}`,
  ] as const

const wake2: Edition = {
  text: wake,
  edits: [['wake_1', 'wake_2'], resting('n', 'g.at'), resting('l', 'excluded.ready_at')],
}

const append2: Edition = {
  text: append,
  edits: [
    ['append_1', 'append_2'],
    ['wake_1', 'wake_2'],
  ],
}

export const editions: readonly Edition[] = [wake2, append2]

export const functions3 = editedText(editions)
