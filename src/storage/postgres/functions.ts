/**
 * What runs in the database for each webhook and each turn: one statement is one way to the server and back. The names
 * have a version: a function is never changed once it is released, since replicas of two versions may call it at once. So
 * a step of the migrations adds the next one.
 */
import { append, ensure } from './functions/append.ts'
import { claim, first, moreAll } from './functions/claim.ts'
import { count } from './functions/counts.ts'
import { idsAt } from './functions/ids-at.ts'
import { wake } from './functions/lanes.ts'
import { remove } from './functions/remove.ts'
import { settle, settleAll } from './functions/settle.ts'

export const functions = [idsAt, wake, count, ensure, append, first, moreAll, claim, remove, settle, settleAll].join(
  '\n',
)
