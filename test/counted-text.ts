/**
 * A text that counts how many of its characters are looked at or copied: what reading it costs, without a clock. What is
 * cut out of it is a plain text, paid for once by its length. Another way of looking than these fails, so that none is
 * forgotten.
 */
export function countedText(text: string): { text: string; looks: () => number } {
  let looks = 0
  const pay = (characters: number) => {
    looks += characters
  }
  const ways: Partial<Record<keyof string, unknown>> = {
    charAt(at: number) {
      pay(1)
      return text.charAt(at)
    },
    charCodeAt(at: number) {
      pay(1)
      return text.charCodeAt(at)
    },
    slice(from: number, to?: number) {
      const part = text.slice(from, to)
      pay(part.length)
      return part
    },
    startsWith(part: string, from: number) {
      pay(part.length)
      return text.startsWith(part, from)
    },
    toString() {
      pay(text.length)
      return text
    },
    indexOf(part: string, from = 0) {
      const found = text.indexOf(part, from)
      pay((found < 0 ? text.length : found + part.length) - from)
      return found
    },
  }
  const counted = new Proxy(ways, {
    get(_, name) {
      if (name === 'length') return text.length
      // Asked before toString, by whatever takes it whole.
      if (name === Symbol.toPrimitive) return undefined
      if (!Object.hasOwn(ways, name)) throw new Error(`the text is looked at by ${String(name)}: count that too`)
      return ways[name as keyof string]
    },
  })
  return { text: counted as unknown as string, looks: () => looks }
}
