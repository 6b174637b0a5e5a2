/** The inbox in PostgreSQL, but for what open.ts watches: each function has the database as its first argument. */
import { addDestination, allDestinations, destinations, removeDestination } from './destinations.ts'
import { follow, nextDue, renew } from './lanes.ts'
import { markErased, occurred } from './occurrences.ts'
import { claimOnInstall, redrive, redriveStep, waitingForInstall } from './redrive.ts'
import { remap } from './remap.ts'
import { drop, erase, expire, marked, rewrite, take } from './retention.ts'

export const inbox = {
  renew,
  nextDue,
  follow,
  addDestination,
  removeDestination,
  allDestinations,
  destinations,
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
