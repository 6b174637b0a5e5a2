/**
 * A law of the tree is a function from files to complaints. It is run over the project, and over small trees that break
 * it or come near to it, so that a law that notices nothing is noticed itself.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type File, fileOf, readTree } from './tree.ts'

export interface Complaint {
  path: string
  why: string
}

type Sketch = Readonly<Record<string, string>>

export interface Law {
  judge(files: readonly File[]): Complaint[]
  /** What to do where it is broken. */
  instead: string
  /** Files, or folders with a slash at the end, that may break it, each with the reason. */
  except?: Sketch
  /** Trees, as text by path, that break it. */
  breaks: readonly [Sketch, ...Sketch[]]
  /** Trees that do not, though they look like it. */
  keeps?: readonly Sketch[]
}

const tree = readTree()

export function law(says: string, { judge, instead, except = {}, breaks, keeps = [] }: Law): void {
  test(says, () => {
    const excuses = Object.keys(except)
    const excuseOf = (path: string) =>
      excuses.find((one) => one === path || (one.endsWith('/') && path.startsWith(one)))
    const complaints = judge(tree)
    const heard = complaints.filter(({ path }) => !excuseOf(path)).map(({ path, why }) => `${path}: ${why}`)
    assert.equal(heard.length, 0, `${heard.join('\n')}\ninstead: ${instead}`)
    const idle = excuses.filter((one) => !complaints.some(({ path }) => excuseOf(path) === one))
    assert.equal(idle.length, 0, `these need no exception any more: ${idle.join(', ')}`)
    for (const sketch of breaks) assert.notEqual(judge(drawn(sketch)).length, 0, `not noticed: ${shown(sketch)}`)
    for (const sketch of keeps) assert.deepEqual(judge(drawn(sketch)), [], shown(sketch))
  })
}

function drawn(sketch: Sketch): File[] {
  return Object.entries(sketch).map(([path, text]) => fileOf(path, text))
}

function shown(sketch: Sketch): string {
  return JSON.stringify(sketch)
}
