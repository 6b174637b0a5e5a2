/** JSON, and text that only looks like it, that could cost a reader more than its length says. */

const list = (times: number, item: (index: number) => string | bigint) =>
  Array.from({ length: times }, (_, index) => item(index)).join()

/** Each gives a text of about so many characters, and at most a few more. */
export const hostileJson: Record<string, (characters: number) => string> = {
  'digits after a point, zeros before the last': (n) => `{"a":1.${'0'.repeat(n)}1}`,
  'leading zeros of a fraction': (n) => `{"a":0.${'0'.repeat(n)}1}`,
  'one long whole number': (n) => `{"token":${'9'.repeat(n)}}`,
  'a long exponent': (n) => `[1e${'1'.repeat(n)}]`,
  'signs and points that are no number': (n) => `[${'-.+e'.repeat(n / 4)}]`,
  'many numbers as long as allowed': (n) => `[${list(n / 401, () => `1.${'0'.repeat(397)}1`)}]`,
  backslashes: (n) => `{"a":"${'\\\\'.repeat(n / 2)}"}`,
  'escaped quotes': (n) => `{"a":"${'\\"'.repeat(n / 2)}"}`,
  'a string that does not close': (n) => `{"a":"${'\\'.repeat(n)}`,
  'escaped keys': (n) => `{${list(n / 16, () => '"\\u0074oken":1')}}`,
  'a key that is nearly a token': (n) => `{"${'\\u0074'.repeat(n / 6)}":1}`,
  'many tokens': (n) => `{${list(n / 12, () => '"token":"x"')}}`,
  'one long token': (n) => `{"token":"${'x'.repeat(n)}"}`,
  colons: (n) => `{"token"${':'.repeat(n)}`,
  commas: (n) => `[${','.repeat(n)}]`,
  spaces: (n) => `{"a":${' '.repeat(n)}1}`,
  'open brackets': (n) => '['.repeat(n),
  'nested objects': (n) => `${'{"a":'.repeat(n / 6)}1${'}'.repeat(n / 6)}`,
  surrogates: (n) => `["${'\\ud800'.repeat(n / 6)}"]`,
  'characters of three bytes': (n) => `["${'\u2028'.repeat(n / 3)}"]`,
  'small arrays': (n) => `[${'[],'.repeat(n / 3)}1]`,
  'keys that are whole numbers': (n) => `{${list(n / 16, (index) => `"${index * 65_536}":1`)}}`,
  'many different keys': (n) => `{${list(n / 12, (index) => `"k${index}":1`)}}`,
  'numbers with more digits than a double holds': (n) =>
    `[${list(n / 18, (index) => 12_345_678_901_200_000n + BigInt(index))}]`,
}
