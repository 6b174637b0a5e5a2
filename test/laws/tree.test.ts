import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileOf, importsOf, readTree } from '../tree.ts'

/** What is left of a program when only its code is looked at: a dot for each blank, ~ for a backtick, @ for a dollar. */
function codeOf(text: string): string {
  const { code } = fileOf('a.ts', text.replaceAll('~', '`').replaceAll('@', '$'))
  return code.replaceAll(' ', '.').replaceAll('`', '~').replaceAll('$', '@')
}

describe('the code of a program', () => {
  const programs: [what: string, text: string, code: string][] = [
    ['comments of both kinds', 'a//b\nc/*d\ne*/f', 'a...\nc...\n...f'],
    ['strings, and quotes in them', `f('it\\'s',"//")`, `f('.....',"..")`],
    ['templates, and the code in them', '~a@{b}c@d~', '~.@{b}...~'],
    ['templates in templates, and braces in their code', "~a@{{b:~c@{'}'}d~}}e~", "~.@{{b:~.@{'.'}.~}}.~"],
    ['regular expressions', '/[\'"~/*]/.test(a)', '/.........test(a)'],
    ['a division', '(a)/b/c', '(a)/b/c'],
    ['an apostrophe in a comment', "// it's\n'a'", ".......\n'.'"],
  ]
  for (const [what, text, code] of programs) test(what, () => assert.equal(codeOf(text), code))

  test('stands where it stood, in every file of the project', () => {
    for (const { path, text, bare, code } of readTree()) {
      for (const view of [bare, code]) {
        assert.equal(view.length, text.length, path)
        for (let at = 0; at < text.length; at++) {
          if (view[at] !== text[at]) assert.equal(view[at], ' ', `${path} at ${at}`)
        }
      }
    }
  })
})

test('what a program imports, in every spelling', () => {
  const text = [
    "import 'a'",
    "import b, { type B } from '../b.ts'",
    "import { type C, type D } from './c.ts'",
    "export type * from './d.ts'",
    "export { e } from 'node:e'",
    "const f = await import('./f.ts')",
    "new Worker(new URL('./g.ts', import.meta.url))",
    "// import 'h'",
    "const i = `import 'i'`",
  ].join('\n')
  const imports = importsOf(fileOf('src/x/a.ts', text))
  assert.deepEqual(
    imports.map(({ of, typesOnly }) => (typesOnly ? `types of ${of}` : of)).sort(),
    ['a', 'node:e', 'src/b.ts', 'src/x/f.ts', 'src/x/g.ts', 'types of src/x/c.ts', 'types of src/x/d.ts'].sort(),
  )
})
