/**
 * Order in a queue. Ids are given by the body: the next of `places` times 128, plus the position of the text in it, so that
 * ids of one body lie side by side and a body is found by each of them. An entry that comes back takes the next of
 * `places` times 128 as its place: places and ids can be compared.
 */
export const perBody = 128

/** Ids from `first` on, and below `below`. */
export interface Range {
  first: number
  below: number
}

export function bodyOf(id: number): number {
  return id - (id % perBody)
}

export function positionOf(id: number): number {
  return id % perBody
}
