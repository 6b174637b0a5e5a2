import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { placeholderProblem } from './placeholder.ts'

describe('a text', () => {
  const placeholders = [
    'undefined',
    'null',
    'xxxx',
    'XXXX-XXXX',
    '********',
    '...',
    '…',
    // Words that ask for another one, in any spelling.
    'changeme',
    'change_me',
    'ChangeMe',
    'changeme123',
    'change-this',
    'change this secret',
    'TODO',
    'FIXME',
    'tbd',
    'placeholder',
    'yourtokenhere',
    'yourTokenGoesHere',
    'YOURCLIENTSECRET',
    'insert-client-id-here',
    'PASTE_WRITE_KEY_HERE',
    'enter.your.key',
    'put-your-token-here',
    'replace-me',
    'ReplaceMe',
    'REPLACE_WITH_TOKEN',
    'YOUR_TOKEN',
    'https://your-company.com',
    'https://drift.your-domain.com/',
    // In brackets.
    '<token>',
    '<>',
    "<the Drift app's verification token>",
    '<postgres://user:password@host:5432/database?sslmode=verify-full>',
    '[verification-token]',
    '{client secret}',
    '{{secret}}',
    '{{ .Values.drift.secret }}',
    // Variables; € stands for the sign before them.
    '€{DRIFT_CLIENT_SECRET}',
    '€{drift_client_secret}',
    '$DRIFT_CLIENT_SECRET',
    '$(DRIFT_CLIENT_SECRET)',
    '%DRIFT_CLIENT_SECRET%',
    'token-€{DRIFT_SECRET}',
    'postgres://source:€{POSTGRES_PASSWORD}@db/source',
    'postgres://source:€{password:-none}@db/source',
    'sqlite:€{HOME}/source.db',
    'lake=https://€{host}',
    // Those of docs/install.md and docs/secrets.md.
    'CLIENT-ID',
    'CLIENT-SECRET',
    'VERIFICATION-TOKEN',
    'NEW-CLIENT-SECRET',
    'NEW-VERIFICATION-TOKEN',
  ]
  for (const text of placeholders.map((one) => one.replace('€', '$')))
    test(`is a placeholder: ${text}`, () => assert.match(placeholderProblem(text)!, /^is still a placeholder/))

  test('is taken as a value where an address or a name has such a word within another, or beside one', () => {
    for (const text of [
      'https://drift.know-your-customer.example',
      'sqlite:/data/rate-your-stay.db',
      'https://replacement-parts.example',
      'postgres://app@db/replacements',
      'https://exchange-media.example',
      'sqlite:/data/here.db',
      'drift-client-7f3a',
      'my-host.internal',
      'here-and-there.example',
      'drift-sim-client-secret',
      '[::1]',
      '[fe80::1]',
      'user@host.example',
      '/run/secrets/client-secret',
      'info',
    ])
      assert.equal(placeholderProblem(text), undefined, text)
  })

  test('that is a real secret is taken as a value, whatever it begins with or spells by chance', () => {
    for (const text of [
      'changeme7Qx2LmPz9RtVb4Kd',
      'yourQ7wXk0123456789abcdefghij',
      'aYOUR-q7wXk01YOUR_2zz9',
      'q7todoXk0fixme3456hereput01',
      '$2b$12$KbQ1ZV0p8uX5l5dJt1y0We',
      'a$b(c)d{e}f%g%h',
      '$7Q_X2L',
      'x7xx-xxx9',
    ])
      assert.equal(placeholderProblem(text), undefined, text)
  })

  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const printable = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).join('')
  const secrets: [name: string, alphabet: string, length: number][] = [
    ['hexadecimal', '0123456789abcdef', 32],
    ['letters and digits', letters, 20],
    ['small letters', 'abcdefghijklmnopqrstuvwxyz', 16],
    ['base64url', `${letters}-_`, 43],
    ['base64', `${letters}+/`, 44],
    ['all that can be typed', printable, 32],
  ]
  for (const [name, alphabet, length] of secrets)
    test(`that is random is taken as a value, each of 20,000 (${name})`, () => {
      for (let nth = 0; nth < 20_000; nth++) {
        const bytes = createHash('sha512').update(`${name} ${nth}`).digest()
        const text = Array.from(bytes.subarray(0, length), (byte) => alphabet[byte % alphabet.length]).join('')
        assert.equal(placeholderProblem(text), undefined, text)
      }
    })
})
