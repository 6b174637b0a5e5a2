/**
 * The text without those of the `characters` that stand at its end. A loop, because a regular expression for a run at the
 * end looks at each run once for each character in it: sixty thousand spaces within a pasted key took two seconds.
 */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}
