/** The addresses of the pages and cards of an account's destinations. */
import { type Destination, firstOf } from '../../accounts/destinations.ts'
import type { Install } from '../../storage/ports/accounts.ts'

export const connectionPath = '/console/connection'

export const addPath = `${connectionPath}/add`

/** The page of one destination, where its name, place and key are changed and it is removed. */
export function pageOf(destination: Destination): string {
  return `${connectionPath}/destination?number=${destination.number}`
}

/** Its card on Connection: the first one's has the name that links of other pages have. */
export function anchorOf(install: Install, { number }: Destination): string {
  return number === firstOf(install).number ? 'segment' : `destination-${number}`
}
