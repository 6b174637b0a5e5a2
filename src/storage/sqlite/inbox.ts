/** The inbox in SQLite, function by function: each is one part of the transaction that the worker has opened around it. */
import { lanes } from '../lanes.ts'
import { append } from './append.ts'
import { claim, more } from './claim.ts'
import { addDestination, allDestinations, destinationsOf, removeDestination } from './destinations.ts'
import { follow, nextDue, renew } from './lanes.ts'
import { markErased, occurred } from './occurrences.ts'
import { claimOnInstall, redrive, redriveStep, waitingForInstall } from './redrive.ts'
import { remap } from './remap.ts'
import { drop, erase, expire, marked, rewrite, take } from './retention.ts'
import { settle } from './settle.ts'
import { inFile } from './statements.ts'

export const inbox = {
  ...inFile(lanes),
  append,
  claim,
  more,
  renew,
  settle,
  nextDue,
  follow,
  addDestination,
  removeDestination,
  allDestinations,
  destinations: destinationsOf,
  occurred,
  markErased,
  waitingForInstall,
  claimOnInstall,
  redrive,
  redriveStep,
  remap,
  expire,
  erase,
  take,
  marked,
  rewrite,
  drop,
}
