/** Finds where the source is marked for a mutant, and puts another statement there. */
import { isProduct, readTree } from '../../test/tree.ts'

/** One `// mutant: NAME` in the source. */
export interface Mark {
  name: string
  /** From the project's folder. */
  path: string
  /** The lines of the statement below the comment, counted from 0: the first, and the one behind the last. */
  first: number
  end: number
}

const marker = /^\s*\/\/ mutant: (.+)$/
const closing = /^\s*[)\]}]/

export function allMarks(): Mark[] {
  return readTree()
    .filter(isProduct)
    .flatMap(({ path, text }) => marksIn(path, text))
}

/**
 * As Biome writes it, all of a statement but its first line stands further right than that line or closes a bracket of
 * it. So nothing but its depth tells where it ends, and it may be written over any number of lines.
 */
export function marksIn(path: string, text: string): Mark[] {
  const lines = text.split('\n')
  const belongs = (line: string, depth: number) =>
    line.trim() !== '' && (depthOf(line) > depth || (depthOf(line) === depth && closing.test(line)))
  return lines.flatMap((line, at) => {
    const name = marker.exec(line)?.[1]
    if (name === undefined) return []
    const first = at + 1
    const depth = depthOf(lines[first] ?? '')
    let end = first + 1
    while (end < lines.length && belongs(lines[end]!, depth)) end++
    return [{ name, path, first, end }]
  })
}

/** The text with the marked statement become another. */
export function changed(text: string, { first, end }: Mark, becomes: string): string {
  return text
    .split('\n')
    .toSpliced(first, end - first, becomes)
    .join('\n')
}

function depthOf(line: string): number {
  return line.length - line.trimStart().length
}
