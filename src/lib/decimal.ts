/** Decimal numbers as text, and whether a double says the same. Each function looks at a character at most a few times. */
import { withoutEnd } from './without-end.ts'

/** So many characters are at most fifteen significant digits, which a double always gives back. */
export const safeCharacters = 15
/** Within these powers of ten a double keeps fifteen digits, whatever they are. */
const safeExponent = 290

/** True when the double that these digits become still says the same decimal number. */
export function isExact(source: string): boolean {
  const exponentAt = source.search(/e/i)
  const mantissa = exponentAt < 0 ? source : source.slice(0, exponentAt)
  const exponent = exponentAt < 0 ? 0 : Number(source.slice(exponentAt + 1))
  if (mantissa.length <= safeCharacters && Math.abs(exponent) <= safeExponent) return true
  const value = Number(source)
  if (value === 0) return !/[1-9]/.test(mantissa)
  return Number.isFinite(value) && normal(source) === normal(String(value))
}

/** A decimal number as `sign digits e exponent`, without leading or trailing zeros: 1.50e2 and 150 give the same. */
function normal(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.')
  const digits = whole + fraction
  const kept = withoutEnd(digits, '0')
  if (kept === '') return '0'
  return `${sign}${kept.replace(/^0+/, '')}e${Number(exponent) - fraction.length + (digits.length - kept.length)}`
}
