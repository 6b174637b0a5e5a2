/** What a destination's options make of the catalogue: for tracking plans, types and schemas. */
import type { EventPage } from '../events/define.ts'
import { type Printed, printedOf } from '../events/print.ts'
import { chosen, type Options } from './options.ts'

/** The events that such a destination gets, as they come there. */
export function printedWith(catalogue: ReadonlyMap<string, EventPage>, of: Options): Printed[] {
  const steps = chosen(of)
  return [...catalogue.values()].flatMap((page) => {
    let printed: Printed | undefined = printedOf(page)
    for (const { option, setting } of steps) {
      if (option.prints && printed) printed = option.prints(printed, setting)
    }
    return printed ? [printed] : []
  })
}
