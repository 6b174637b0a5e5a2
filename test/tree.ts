/** The project's files as text, for the tests that hold the tree and its documents to their laws. */
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

export interface File {
  /** From the project's folder, with slashes. */
  path: string
  text: string
  /** Of a program: the text with its comments blanked; every character stays where it was. */
  bare: string
  /** The same with what its strings and regular expressions say blanked too: nothing but code. */
  code: string
  /** What its strings say, as they are written. */
  strings: string[]
  /** Its regular expressions, without the slash before them. */
  expressions: string[]
}

export interface Import {
  /** A package or `node:` module by its name, or a file of the project by its path. */
  of: string
  /** Nothing of it is there when the program runs. */
  typesOnly: boolean
}

const root = new URL('../', import.meta.url)
/** What belongs to the machine and not to the project: see .gitignore. */
const notOurs = /^(\.git|\.env|node_modules|data|dist|coverage|package-lock\.json|\.installing.*|.*\.(log|db|png|ico))$/

export function readTree(): File[] {
  const under = (folder: string): string[] =>
    readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((found) => {
      if (notOurs.test(found.name)) return []
      return found.isDirectory() ? under(`${folder}${found.name}/`) : [folder + found.name]
    })
  return under('')
    .map((path) => fileOf(path, readFileSync(new URL(path, root), 'utf8')))
    .filter(({ text }) => !text.includes('\0'))
}

export function fileOf(path: string, text: string): File {
  if (!/\.m?[jt]s$/.test(path)) return { path, text, bare: text, code: text, strings: [], expressions: [] }
  const pieces = piecesOf(text)
  const only = (...kept: Piece['is'][]) =>
    pieces.map((piece) => (kept.includes(piece.is) ? piece.text : piece.text.replace(/[^\n]/g, ' '))).join('')
  const said = (kind: Piece['is']) => pieces.filter(({ is }) => is === kind).map((piece) => piece.text)
  return {
    path,
    text,
    bare: only('code', 'string', 'template', 'expression'),
    code: only('code'),
    strings: said('string'),
    expressions: said('expression'),
  }
}

/** Tests, and what only they use: judged more leniently than the product. */
export function isTest({ path }: Pick<File, 'path'>): boolean {
  return /^(test|torture)\//.test(path) || /\.test\.ts$|\/storage\/conformance[\w-]*\.ts$/.test(path)
}

/** The program files that are the product: what runs when the service or a command does. */
export function isProduct(file: Pick<File, 'path'>): boolean {
  return /^(src|packages\/[\w-]+\/src)\//.test(file.path) && file.path.endsWith('.ts') && !isTest(file)
}

const clause = String.raw`([\w$]+\s*,\s*)?(?:\{([^}]*)\}|\*(?:\s+as\s+[\w$]+)?)|[\w$]+`
const statement = new RegExp(String.raw`\b(?:import|export)\s+(type\s+)?(?:${clause})\s*\bfrom\s*'([^']+)'`, 'g')
const asked = /\bimport\s*\(?\s*'([^']+)'/g
const resolved = /\bimport\.meta\.resolve\(\s*'([^']+)'/g
const named = /\bnew URL\(\s*'(\.[^']*)',\s*import\.meta\.url/g

/** Everything a file imports, now or later, and the files it names beside its own place. */
export function importsOf({ path, bare, code }: File): Import[] {
  const written = (pattern: RegExp) => [...bare.matchAll(pattern)].filter(({ index }) => code[index] !== ' ')
  const at = (to: string) => (to.startsWith('.') ? posix.join(posix.dirname(path), to) : to)
  return [
    ...written(statement).map(([, type, whole, names, to]) => {
      const each = (names ?? '').split(',').filter((name) => name.trim() !== '')
      const allTypes = !whole && each.length > 0 && each.every((name) => /^\s*type\s/.test(name))
      return { of: at(to!), typesOnly: type !== undefined || allTypes }
    }),
    ...[...written(asked), ...written(resolved), ...written(named)].map(([, to]) => ({
      of: at(to!),
      typesOnly: false,
    })),
  ]
}

interface Piece {
  is: 'code' | 'comment' | 'string' | 'template' | 'expression'
  text: string
}

/** In the order in which they are tried. `marks`: how many characters at either end stay code. */
const kinds: readonly { is: Piece['is']; pattern: RegExp; marks: [start: number, end: number] }[] = [
  { is: 'comment', pattern: /\/\/[^\n]*|\/\*[\s\S]*?\*\//y, marks: [0, 0] },
  { is: 'string', pattern: /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y, marks: [1, 1] },
  { is: 'expression', pattern: /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y, marks: [1, 0] },
  { is: 'code', pattern: /[^'"`/{}]+|[\s\S]/y, marks: [0, 0] },
]
/** What a template says up to its end or to the next piece of code in it. */
const saying = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y
/** After these a slash begins a regular expression; after a name, a number or a closing bracket it divides. */
const beforeExpression = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case))\s*$/

/** Cuts a program into its code, its comments, and what its strings, templates and regular expressions say. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  /** For each template that is open here: how many braces the code in it has opened. */
  const open: number[] = []
  let at = 0
  const take = (is: Piece['is'], length: number) => {
    const last = pieces.at(-1)
    const taken = text.slice(at, at + length)
    if (is === 'code' && last?.is === 'code') last.text += taken
    else if (length > 0) pieces.push({ is, text: taken })
    at += length
  }
  const found = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0]
  }
  const fits = (is: Piece['is']) => is !== 'expression' || beforeExpression.test(pieces.at(-1)?.text ?? '')
  while (at < text.length) {
    const { is, pattern, marks } = kinds.find((kind) => fits(kind.is) && found(kind.pattern) !== undefined)!
    const [start, end] = marks
    const taken = found(pattern)!
    take('code', start)
    take(is, taken.length - start - end)
    take('code', end)
    const ends = taken === '}' && open.at(-1) === 0
    if (ends) open.pop()
    else if (open.length > 0) open[open.length - 1]! += taken === '{' ? 1 : taken === '}' ? -1 : 0
    if (taken !== '`' && !ends) continue
    const said = found(saying) ?? text.slice(at)
    const goesOn = said.endsWith('${')
    take('template', said.length - (goesOn ? 2 : 1))
    take('code', goesOn ? 2 : 1)
    if (goesOn) open.push(0)
  }
  return pieces
}
