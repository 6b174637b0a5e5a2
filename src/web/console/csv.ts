/** Lines of RFC 4180, which a spreadsheet opens without running anything of them. */
import { withUnseenShown } from '../../lib/unseen.ts'

/** A cell that begins so is a formula to a spreadsheet. */
const formula = /^[=+\-@\t\r]/

export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`
}

function cellOf(text: string): string {
  const shown = withUnseenShown(text)
  const harmless = formula.test(shown) ? `'${shown}` : shown
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
