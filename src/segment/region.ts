/** Where an account's Segment workspace is: its data is taken there and nowhere else. */
import { wordIn } from '../lib/pasted.ts'

export const regions = ['us', 'eu'] as const
export type Region = (typeof regions)[number]

/** In any case; undefined for what is not a region. Every door judges it here. */
export function regionIn(text: string): Region | undefined {
  return wordIn(regions, text)
}
