/** What of the inbox both engines carry out alike, function by function. */
import { destinations } from './destinations.ts'
import { lanes } from './lanes.ts'
import { occurrences } from './occurrences.ts'
import { redriving } from './redrive.ts'
import { remap } from './remap.ts'
import { expire, retention } from './retention.ts'

export const inbox = { ...lanes, ...destinations, ...occurrences, ...redriving, remap, ...retention, expire }
