/** How a lease hears that something of its account may have come. */

export interface Waking {
  wake(anywhere: boolean): void
  onWake(listener: (anywhere: boolean) => void): void
}

/** Keeps the word for a lease that does not listen yet. */
export function openWaking(hasCome: boolean): Waking {
  let missed: boolean | undefined = hasCome ? false : undefined
  let listener = (anywhere: boolean) => {
    missed = anywhere || missed === true
  }
  return {
    wake: (anywhere) => listener(anywhere),
    onWake(next) {
      listener = next
      if (missed !== undefined) next(missed)
    },
  }
}
