/** Which destination a page shows, where an account has several: a link of plain words, which works without scripts. */
import { html } from 'hono/html'
import { type Destination, destinationOf, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { noSettings } from '../../accounts/settings.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Html } from './ui/layout.ts'

export interface Chosen {
  /** All of the account, in the order of their numbers. */
  all: readonly Destination[]
  /** The one that is shown. */
  shown: Destination
}

/** The destination that an address names by its number; the first one where it names none that is there. */
export function chosenIn(install: Install | undefined, org: Org, asked: string | undefined): Chosen {
  const known = install ?? { org, settings: noSettings }
  const named = asked === undefined || asked === '' ? undefined : destinationOf(known, Number(asked))
  return { all: destinationsOf(known), shown: named ?? firstOf(known) }
}

export function isOfSeveral({ all }: Chosen): boolean {
  return all.length > 1
}

/** How it stands in the address of a list: an account with one destination has no need of it. */
export function numberIn(chosen: Chosen): string {
  return isOfSeveral(chosen) ? String(chosen.shown.number) : ''
}

/** Who is sent to, in a sentence: by name where there are several. */
export function partnerOf(chosen: Chosen): string {
  const { shown } = chosen
  return isOfSeveral(chosen) ? shown.name : (shown.endpoint ?? 'Segment')
}

/** The endpoint that a filter speaks of; undefined for Segment, and for all of several destinations. */
export function endpointIn({ destination }: { destination: string }, chosen: Chosen): string | undefined {
  return destination === '' && isOfSeveral(chosen) ? undefined : chosen.shown.endpoint
}

/** The endpoint in Segment's place at the destination of that number. */
export function endpointAt({ all }: Chosen, number: number): string | undefined {
  return (all.find((one) => one.number === number) ?? (all.length === 1 ? all[0] : undefined))?.endpoint
}

/** `to`: the address of the same page for this destination. */
export function destinationTabs({ all, shown }: Chosen, to: (number: string) => string): Html | '' {
  if (all.length === 1) return ''
  return html`<nav class="tabs" aria-label="Destination">${all.map(
    ({ number, name }) =>
      html`<a href="${to(String(number))}"${number === shown.number ? html` aria-current="true"` : ''}>${name}</a>`,
  )}</nav>`
}
