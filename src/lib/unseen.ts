/** Characters that people do not see: they come along when something is copied, hide in what others wrote, and reorder it. */

// A plain space is seen; all other spaces, controls, marks and fillers are not.
const unseen = /(?! )[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\u2800]/u
const everyUnseen = new RegExp(`(?!\n)${unseen.source}`, 'gu')

const names: Readonly<Record<string, string>> = {
  '\t': 'a tab',
  '\n': 'a line break',
  '\r': 'a line break',
  '\u00a0': 'a no-break space',
  '\u00ad': 'a soft hyphen',
  '\u200b': 'a zero-width space',
  '\u200c': 'a zero-width non-joiner',
  '\u200d': 'a zero-width joiner',
  '\u200e': 'a direction mark',
  '\u200f': 'a direction mark',
  '\u202f': 'a narrow no-break space',
  '\u2060': 'a word joiner',
  '\ufeff': 'a byte order mark',
}

/** The first unseen character in words, such as "a zero-width space (U+200B)"; undefined when all can be seen. */
export function unseenIn(text: string): string | undefined {
  const found = unseen.exec(text)?.[0]
  if (found === undefined) return undefined
  const code = `U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  return `${names[found] ?? 'an invisible character'} (${code})`
}

/**
 * The text with every unseen character as JSON writes it, `\u200b`, so that JSON stays the same JSON; line breaks stay.
 * What people read of what others wrote passes through here: nothing in it hides, reorders, or gives a terminal an order.
 */
export function withUnseenShown(text: string): string {
  return text.replace(everyUnseen, escapedOf)
}

/** By its UTF-16 units, as JSON has it. */
function escapedOf(sign: string): string {
  return sign
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
