/** Decimal numbers as text, and whether a double says the same. Each function looks at a character at most twice. */

/** So many characters are at most fifteen significant digits, which a double always gives back. */
export const safeCharacters = 15
/** Within these powers of ten a double keeps fifteen digits, whatever they are. */
const safeExponent = 290

/** True when the double that these digits become still says the same decimal number. */
export function isExact(source: string): boolean {
  const [mantissa = '', exponent = '0'] = source.split(/[eE]/, 2)
  if (mantissa.length <= safeCharacters && Math.abs(Number(exponent)) <= safeExponent) return true
  const value = Number(source)
  return Number.isFinite(value) && normal(source) === normal(String(value))
}

/** A decimal number as `sign digits e exponent`, without leading or trailing zeros: 1.50e2 and 150 give the same. */
function normal(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.')
  const digits = whole + fraction
  let [from, to] = [0, digits.length]
  while (digits[from] === '0') from++
  if (from === to) return '0'
  // A loop, because a regular expression for trailing zeros looks at every run of zeros once for each of its digits.
  while (digits[to - 1] === '0') to--
  return `${sign}${digits.slice(from, to)}e${Number(exponent) - fraction.length + (digits.length - to)}`
}
