/**
 * Texts that people paste, with what came along when they were copied. What is wrong is said as the end of a sentence
 * that begins with the name of the text, and never holds the text.
 */
import { placeholderProblem } from './placeholder.ts'
import { unseenIn } from './unseen.ts'
import { withoutEnd } from './without-end.ts'

/** Without the plain spaces, tabs and line breaks around it. What is not seen stays, so that it is named. */
export function trimmed(text: string): string {
  return withoutEnd(text, ' \t\r\n').replace(/^[ \t\r\n]+/, '')
}

/** Quotes of all languages, and the signs that are typed for them. */
const inQuotes = /^[\p{Quotation_Mark}`´′″].*[\p{Quotation_Mark}`´′″]$/su

/** What is wrong with any pasted text, whatever it is for. */
export function textProblem(text: string): string | undefined {
  const problem = placeholderProblem(text)
  if (problem) return problem
  if (inQuotes.test(text)) return 'stands in quotes, which would be part of it: take them away'
  return unseenProblem(text)
}

/** Only that: for what people search by or type, which may look like anything else. */
export function unseenProblem(text: string): string | undefined {
  const unseen = unseenIn(text)
  return unseen && `holds ${unseen}, which is not seen: copy it again, or type it`
}

/** What keeps a text from being a secret that is sent in a header: only visible ASCII can be. */
export function secretProblem(text: string): string | undefined {
  const problem = textProblem(text)
  if (problem) return problem
  if (text.includes(' ')) return 'holds a space'
  return /[^\x21-\x7e]/.test(text) ? 'holds a character that is not plain ASCII: copy it again' : undefined
}

/** Some editors and shells begin a text with a byte order mark, which would be part of its first name. */
export function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, '')
}

/** Whether a file of text is in UTF-16, which has a zero in each plain letter; UTF-8 has none. */
export function isUtf16(bytes: Uint8Array): boolean {
  return bytes.includes(0)
}

/** The one of these words that it is, in any case; undefined for any other. */
export function wordIn<Word extends string>(words: readonly Word[], text: string): Word | undefined {
  const lower = trimmed(text).toLowerCase()
  return words.find((word) => word === lower)
}
