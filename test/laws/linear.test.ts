/** The laws of cost: what a text from outside may cost grows no quicker than its length. */
import { law } from '../law.ts'
import { isProduct } from '../tree.ts'

/** `a|b$` as `a` and `b$`; what stands in brackets stays together. */
function alternativesOf(expression: string): string[] {
  const parts = expression.replace(/\/[a-z]*$/, '').match(/\\.|\[(?:\\.|[^\]])*\]|[\s\S]/g) ?? []
  const alternatives = ['']
  let depth = 0
  for (const part of parts) {
    depth += part === '(' ? 1 : part === ')' ? -1 : 0
    if (part === '|' && depth === 0) alternatives.push('')
    else alternatives.push(alternatives.pop() + part)
  }
  return alternatives
}

law(
  'no regular expression looks for a run at the end of a text: it would look at each run once for each character in it',
  {
    judge: (files) =>
      files.filter(isProduct).flatMap(({ path, expressions }) =>
        expressions
          .flatMap(alternativesOf)
          .filter((one) => /[+*]\??\)*\$\)*$/.test(one) && !/^(\^|\(\?<[!=])/.test(one))
          .map((one) => ({ path, why: `looks for ${one}` })),
      ),
    instead: 'withoutEnd() of src/lib/without-end.ts, or an expression that begins at the beginning',
    breaks: [
      { 'src/lib/a.ts': "text.replace(/\\/+$/, '')" },
      { 'src/lib/a.ts': "text.replace(/^[ \\t]+|[ \\t]+$/g, '')" },
      { 'src/lib/a.ts': 'const digits = /0(0*)$/' },
    ],
    keeps: [{ 'src/lib/a.ts': 'const whole = /^a(b|c*)$/; const word = /[|+$]/; const last = /a$/' }],
  },
)
