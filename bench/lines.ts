/** Every line of the bench, in the order of the table. */
import type { Line } from './line.ts'
import { acknowledge } from './lines/acknowledge.ts'
import { idle } from './lines/idle.ts'

export const lines: readonly Line[] = [acknowledge, idle]
