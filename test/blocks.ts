/**
 * The blocks of commands in a document. Lines of comment right above a block say what a test must know of it:
 *
 *     <!-- not run: why no test runs it -->
 *     <!-- exits: 1 -->        how its last command ends, where that is not 0
 *     <!-- prints: words -->   what its output contains; a line for each
 */

export interface Block {
  /** The word behind its opening fence, such as `sh`; empty where there is none. */
  language: string
  text: string
  notRun?: string
  exits: number
  prints: string[]
}

const fenced = /((?:^ *<!--.*-->\n)*)^( *)```(.*)\n([\s\S]*?\n)?\2```$/gm

/** In the order of the document. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(fenced)].map(([, comments = '', indent = '', language = '', text = '']) => {
    const marks = [...comments.matchAll(/<!-- ([a-z ]+): (.*) -->/g)]
    const said = (name: string) => marks.filter(([, one]) => one === name).map(([, , value]) => value!)
    const [notRun] = said('not run')
    return {
      language: language.trim(),
      text: text.replace(new RegExp(`^${indent}`, 'gm'), ''),
      ...(notRun === undefined ? {} : { notRun }),
      exits: Number(said('exits')[0] ?? 0),
      prints: said('prints'),
    }
  })
}
