/** The data of a life-cycle event, whose shape Drift does not document, as the text of a member. */
export const oddData: readonly (readonly [what: string, member: string])[] = [
  ['absent', ''],
  ['null', ',"data":null'],
  ['a list', ',"data":[1,{"orgId":7}]'],
  ['a text', ',"data":"gone"'],
  ['a number', ',"data":5000883'],
  ['no', ',"data":false'],
  ['empty', ',"data":{}'],
  ['an object that names another account', ',"data":{"orgId":7}'],
  ['an object that names no account', ',"data":{"orgId":0}'],
  ['an object with the same key twice', ',"data":{"a":1,"a":2}'],
  ['too deep', `,"data":${'['.repeat(99)}${']'.repeat(99)}`],
  ['of too many values', `,"data":[${'1,'.repeat(60_000)}1]`],
  ['a number larger than any', ',"data":{"a":1e999}'],
  ['a number without end', `,"data":{"a":${'9'.repeat(1_000)}}`],
  ['beside unknown fields', ',"data":{},"reason":"left","at":1714419312425'],
]
