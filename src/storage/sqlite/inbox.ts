/** The inbox in SQLite, function by function: each is one part of the transaction that the worker has opened around it. */
import { append } from './append.ts'
import { claim, more } from './claim.ts'
import { addDestination, allDestinations, destinationsOf, removeDestination } from './destinations.ts'
import { clockSetBack, follow, hold, nextDue, renew, resume, retry, shortenLeases } from './lanes.ts'
import { markErased, occurred } from './occurrences.ts'
import { claimOnInstall, redrive, redriveStep, waitingForInstall } from './redrive.ts'
import { remap } from './remap.ts'
import { drop, erase, expire, marked, rewrite, take } from './retention.ts'
import { settle } from './settle.ts'

export const inbox = {
  append,
  claim,
  more,
  renew,
  settle,
  nextDue,
  clockSetBack,
  shortenLeases,
  hold,
  resume,
  retry,
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
