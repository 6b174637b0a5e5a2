/** The settings as a table: what is wrong is named with its setting, all at once, and never shown. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { neededSettings, problemOf, sealingKey } from '../test/settings.ts'
import { addressOf, readConfig } from './config.ts'

describe('settings', () => {
  test('with the required ones only, the rest is as documented', () => {
    const config = readConfig(neededSettings)
    assert.deepEqual([config.host, config.port, config.retentionDays, config.logLevel], ['127.0.0.1', 8080, 7, 'info'])
    assert.deepEqual(config.metrics, { host: '127.0.0.1', port: 9464 })
    assert.equal(config.databaseUrl, 'sqlite:data/drift-segment-source.db')
    assert.deepEqual(config.segment, {
      us: 'https://api.segment.io',
      eu: 'https://events.eu1.segmentapis.com',
      cdn: 'https://cdn.segment.com',
    })
    assert.equal(config.drift.apiUrl, 'https://driftapi.com')
  })

  test('all settings that are missing are named at once, with exit code 78 and the demo', () => {
    const { message, hint, exitCode, code } = problemOf({})
    for (const name of Object.keys(neededSettings)) assert.match(message, new RegExp(`^ {2}${name}`, 'm'))
    assert.deepEqual([exitCode, code], [78, 'settings_wrong'])
    for (const line of message.split('\n').slice(1)) assert.match(line, /: is missing.*: .*(prints|shows)/)
    assert.match(hint ?? '', /npm run demo/)
  })

  const wrong: [row: string, name: string, value: string][] = [
    ['blank, which means unset', 'ENCRYPTION_KEYS', '  '],
    ['too short a key', 'ENCRYPTION_KEYS', 'k1:c2hvcnQ='],
    ['not base64', 'ENCRYPTION_KEYS', `k1:${'!'.repeat(44)}`],
    ['a key of zeros', 'ENCRYPTION_KEYS', `k1:${Buffer.alloc(32).toString('base64')}`],
    ['a key without an id', 'ENCRYPTION_KEYS', sealingKey.split(':')[1]!],
    ['an id twice', 'ENCRYPTION_KEYS', `${sealingKey},${sealingKey}`],
    ['a placeholder', 'DRIFT_VERIFICATION_TOKENS', 'changeme'],
    ['the word undefined', 'DRIFT_VERIFICATION_TOKENS', 'undefined'],
    ['NaN', 'RETENTION_DAYS', 'NaN'],
    ['a number with an exponent', 'RETENTION_DAYS', '1e2'],
    ['a hexadecimal number', 'RETENTION_DAYS', '0x10'],
    ['a number with a unit', 'RETENTION_DAYS', '5d'],
    ['a negative number', 'RETENTION_DAYS', '-1'],
    ['zero', 'RETENTION_DAYS', '0'],
    ['a port too high', 'PORT', '65536'],
    ['a word for a port', 'PORT', 'http'],
    ['a port too high', 'METRICS_PORT', '70000'],
    ['http in public', 'PUBLIC_URL', 'http://source.example'],
    ['credentials', 'PUBLIC_URL', 'https://a:b@source.example'],
    ['an address without a protocol', 'PUBLIC_URL', 'source.example'],
    ['a partner over http', 'SEGMENT_API_URL_US', 'http://169.254.169.254'],
    ['another protocol', 'DRIFT_API_URL', 'file:///etc/passwd'],
    ['an unknown store', 'DATABASE_URL', 'mysql://x'],
    ['a store in memory, which SQLite would keep nothing of', 'DATABASE_URL', 'sqlite::memory:'],
    ['a store by an address, whose host would be a file at the root', 'DATABASE_URL', 'sqlite://source.db'],
    ['a store by an address, which SQLite takes apart', 'DATABASE_URL', 'sqlite:file:data/source.db?mode=ro'],
    ['an unknown level', 'LOG_LEVEL', 'loud'],
    ['TLS switched off', 'NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['an inspector for anyone here', 'NODE_OPTIONS', '--inspect=0.0.0.0'],
    ['an address inside a network', 'DRIFT_API_URL', 'http://[::ffff:169.254.169.254]'],
    ['a number for an address', 'SEGMENT_API_URL_EU', 'http://2852039166'],
    ['a secret with a line break', 'DRIFT_CLIENT_SECRET', 'cS7mB3\nyHp6'],
    ['an address with /v1, which is added', 'SEGMENT_API_URL_US', 'https://api.segment.io/v1'],
    ['an address with /v1/batch', 'SEGMENT_API_URL_EU', 'https://eu.example/V1/batch/'],
    ['an address with /v1/', 'SEGMENT_CDN_URL', 'https://cdn.segment.com/v1/'],
    ['a public address with a path', 'PUBLIC_URL', 'https://source.example/drift'],
    ['a public address with a query', 'PUBLIC_URL', 'https://source.example/?x=1'],
    ['a write key in quotes', 'SEGMENT_WRITE_KEY', "'Pl4ntedQ7wXk0123456789abcdefghij'"],
    ['a store in quotes', 'DATABASE_URL', '"sqlite:data/source.db"'],
    ['a number in quotes', 'PORT', '"8080"'],
    ['tokens in quotes', 'DRIFT_VERIFICATION_TOKENS', 'vT8sQ2xLr4,"wU9tR3yMs5"'],
    ['typographic quotes', 'DRIFT_CLIENT_ID', '“cI5nW9zKe1”'],
    ['a zero-width space at the end of a secret', 'DRIFT_CLIENT_SECRET', 'cS7mB3yHp6\u200b'],
    ['a no-break space before a token', 'DRIFT_VERIFICATION_TOKENS', '\u00a0vT8sQ2xLr4'],
    ['a byte order mark before a key', 'ENCRYPTION_KEYS', `\ufeff${sealingKey}`],
    ['a direction mark in an address', 'DRIFT_API_URL', 'https://driftapi.com\u200e'],
    ['a host for all others', 'PUBLIC_URL', 'https://*.example.com'],
    ['all addresses of a machine', 'PUBLIC_URL', 'https://0.0.0.0'],
    ['all addresses of a machine', 'DRIFT_API_URL', 'https://[::]:8443'],
    ['the port 0', 'PUBLIC_URL', 'https://x.example:0'],
    ['the port 0 of a receiver', 'OPERATOR_ALERT_URL', 'https://x.example:0/alerts'],
    ['a store as the documents have it', 'DATABASE_URL', 'postgres://USER:PASSWORD@HOST/DATABASE'],
    ['a store with their password', 'DATABASE_URL', 'postgres://source:PASSWORD@db.example.com/source'],
    ['a store whose password is to be changed', 'DATABASE_URL', 'postgres://source:changeme@db/source'],
    ['a proxy at the port 0', 'HTTPS_PROXY', 'http://proxy.example:0'],
    ['a client id that is to be put in', 'DRIFT_CLIENT_ID', 'insert-client-id-here'],
    ['a secret in brackets', 'DRIFT_CLIENT_SECRET', '{{secret}}'],
    ['a variable that nothing fills in', 'DRIFT_CLIENT_SECRET', '$DRIFT_CLIENT_SECRET'],
    ['a token to be mended', 'DRIFT_VERIFICATION_TOKENS', 'FIXME_token'],
    ['a token with a space', 'DRIFT_CLIENT_SECRET', 'Bearer cS7mB3yHp6'],
    ['a token that no header can hold', 'DRIFT_CLIENT_SECRET', 'cS7mB3yHpé'],
    ['an empty part', 'DRIFT_VERIFICATION_TOKENS', 'vT8sQ2xLr4,,wU9tR3yMs5'],
    ['an account that is a name', 'DRIFT_ORG_IDS_ALLOWED', '12345,acme'],
    ['a public address with a fragment', 'PUBLIC_URL', 'https://source.example/#x'],
    ['a public address with an empty query', 'PUBLIC_URL', 'https://source.example/?'],
    ['a public address with one slash', 'PUBLIC_URL', 'https:/source.example'],
    ['a public address with a backslash', 'PUBLIC_URL', 'https://source.example\\drift'],
    ['a public address with /connect/callback', 'PUBLIC_URL', 'https://source.example/connect/callback'],
    ['an address with /v1/ and a slash', 'SEGMENT_API_URL_US', 'https://api.segment.io/v1/'],
    ['an address with a path and /v1', 'SEGMENT_API_URL_US', 'https://gateway.example/segment/v1/batch'],
    ['an address to listen at', 'HOST', 'http://127.0.0.1'],
    ['a port behind the host', 'HOST', '127.0.0.1:8080'],
    ['an address with too few numbers', 'HOST', '127.1'],
    ['an address with too large a number', 'HOST', '127.0.0.256'],
    ['an address with too many colons', 'HOST', '1::2::3'],
    ['a number as host', 'METRICS_HOST', '9464'],
    ['a region that is a country', 'SEGMENT_REGION', 'de'],
    ['a name in quotes between commas', 'NO_PROXY', '"one.example",two.example'],
    ['an address in the list of hosts', 'NO_PROXY', 'https://one.example'],
    ['a proxy with a path', 'HTTPS_PROXY', 'http://proxy.example:3128/somewhere'],
    ['a proxy whose password has a lone percent sign', 'HTTPS_PROXY', 'http://user:50%off@proxy.example:3128'],
    ['a proxy in quotes', 'https_proxy', '"http://proxy.example:3128"'],
    ['a proxy without a protocol', 'HTTPS_PROXY', 'outgoing.example:3128'],
    ['a proxy of another kind', 'HTTP_PROXY', 'socks5://proxy.example'],
  ]
  for (const [row, name, value] of wrong) {
    test(`the setting ${name} is refused, and its value not shown: ${row}`, () => {
      const single = name === 'SEGMENT_WRITE_KEY' ? { DRIFT_ORG_ID: '1', DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2' } : {}
      const { message, exitCode } = problemOf({ ...neededSettings, ...single, [name]: value })
      assert.match(message, new RegExp(`^ {2}${name}`, 'm'))
      assert.equal(message.split('\n').length, 2, 'and nothing else is')
      assert.equal(exitCode, 78)
      if (value.trim().length > 4) assert.ok(!message.includes(value), 'its value is not shown')
    })
  }

  test('Node’s own settings with which no secret is safe are refused for every command: some send secrets too', () => {
    for (const [name, value] of [
      ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
      ['NODE_OPTIONS', '--inspect'],
    ] as const)
      assert.throws(() => readConfig({ ENCRYPTION_KEYS: sealingKey, [name]: value }, 'store'), {
        code: 'settings_wrong',
        message: new RegExp(`^ {2}${name}: must not`, 'm'),
      })
  })

  test('a public address is needed where the listener is public', () => {
    assert.match(problemOf({ ...neededSettings, HOST: '0.0.0.0' }).message, /PUBLIC_URL/)
    for (const HOST of ['localhost', 'LocalHost', '127.0.0.2', '::1'])
      assert.doesNotThrow(() => readConfig({ ...neededSettings, HOST }), HOST)
    const { publicUrl } = readConfig({ ...neededSettings, HOST: '0.0.0.0', PUBLIC_URL: 'https://source.example' })
    assert.equal(publicUrl, 'https://source.example')
  })

  test('a single account needs its key and its token, and then no OAuth app', () => {
    const { DRIFT_CLIENT_ID: _, DRIFT_CLIENT_SECRET: _secret, ...base } = neededSettings
    const { message } = problemOf({ ...base, DRIFT_ORG_ID: '5000883' })
    for (const name of ['SEGMENT_WRITE_KEY', 'DRIFT_ACCESS_TOKEN']) assert.match(message, new RegExp(name))
    assert.match(problemOf({ ...base, DRIFT_ORG_ID: 'acme' }).message, /^ {2}DRIFT_ORG_ID: must be/m)
    const more = { SEGMENT_WRITE_KEY: 'Pl4ntedQ7wXk0123456789abcdefghij', DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2' }
    const { single, oauth } = readConfig({ ...base, ...more, DRIFT_ORG_ID: '5000883' })
    assert.deepEqual([single?.org, single?.region, oauth], ['5000883', 'us', undefined])
  })

  test('two tokens and two keys while they are changed; the first key seals', () => {
    const older = `k0:${Buffer.from('vutsrqponmlkjihgfedcba9876543210').toString('base64')}`
    const env = {
      ...neededSettings,
      ENCRYPTION_KEYS: `${sealingKey}, ${older}`,
      DRIFT_VERIFICATION_TOKENS: 'vT8sQ2xLr4, wU9tR3yMs5',
    }
    const { encryptionKeys, verificationTokens } = readConfig(env)
    assert.deepEqual(
      encryptionKeys.map(({ id }) => id),
      ['test', 'k0'],
    )
    assert.deepEqual(verificationTokens, ['vT8sQ2xLr4', 'wU9tR3yMs5'])
  })
})

describe('a setting', () => {
  test('is taken in any case where it is a word', () => {
    const single = {
      DRIFT_ORG_ID: '1',
      SEGMENT_WRITE_KEY: 'Pl4ntedQ7wXk0123456789abcdefghij',
      DRIFT_ACCESS_TOKEN: 'aT6k',
    }
    const config = readConfig({ ...neededSettings, ...single, SEGMENT_REGION: 'EU', LOG_LEVEL: 'Warn' })
    assert.deepEqual([config.single?.region, config.logLevel], ['eu', 'warn'])
  })

  for (const writeKey of [
    'https://api.segment.io',
    'sgp_abcdefghijklmnop',
    'YOUR_WRITE_KEY',
    'key;drop',
    'x'.repeat(300),
  ])
    test(`SEGMENT_WRITE_KEY is refused as a form refuses it: ${writeKey.slice(0, 30)}`, () => {
      const single = { DRIFT_ORG_ID: '1', DRIFT_ACCESS_TOKEN: 'aT6k', SEGMENT_WRITE_KEY: writeKey }
      assert.match(problemOf({ ...neededSettings, ...single }).message, /^ {2}SEGMENT_WRITE_KEY: /m)
    })

  test('that is wrong is named with all others, also where nothing needs it', () => {
    const env = { ...neededSettings, DRIFT_ORG_ID: 'acme', SEGMENT_WRITE_KEY: '"x"', PORT: 'x', DRIFT_CLIENT_ID: '' }
    const { message } = problemOf(env)
    assert.deepEqual(message.match(/^ {2}\w+(?=: )/gm), [
      '  PORT',
      '  DRIFT_CLIENT_ID',
      '  DRIFT_ORG_ID',
      '  SEGMENT_WRITE_KEY',
      '  DRIFT_ACCESS_TOKEN',
    ])
    assert.match(
      problemOf({ ...neededSettings, SEGMENT_WRITE_KEY: '"x"' }).message,
      /^ {2}SEGMENT_WRITE_KEY: stands in quotes/m,
    )
  })

  const addresses: [text: string, value: string][] = [
    ['https://source.example/', 'https://source.example'],
    ['https://Source.Example:443', 'https://source.example'],
    ['HTTPS://source.example:8443/', 'https://source.example:8443'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['http://[::1]:8080/', 'http://[::1]:8080'],
  ]
  for (const [text, value] of addresses)
    test(`that is an address is taken as it will be written: ${text}`, () =>
      assert.equal(readConfig({ ...neededSettings, PUBLIC_URL: text }).publicUrl, value))

  test('that is an address of a partner may have a path', () => {
    const { drift, segment } = readConfig({
      ...neededSettings,
      DRIFT_AUTHORIZE_URL: 'https://drift.example/some/authorize/',
      SEGMENT_API_URL_US: 'https://gateway.example/segment/',
    })
    assert.deepEqual(
      [drift.authorizeUrl, segment.us],
      ['https://drift.example/some/authorize', 'https://gateway.example/segment'],
    )
  })

  test('that says where to listen may be a name, or an address with or without brackets', () => {
    const hostOf = (HOST: string) => readConfig({ ...neededSettings, HOST, PUBLIC_URL: 'https://source.example' }).host
    for (const name of ['0.0.0.0', '::', '10.1.2.3', 'my_host.internal', 'localhost', 'fe80::1%eth0'])
      assert.equal(hostOf(name), name)
    assert.equal(hostOf('[::1]'), '::1')
    assert.equal(addressOf({ host: '::1', port: 80 }), 'http://[::1]:80')
  })

  test('of a port that Kubernetes made of a service is passed over, and said so', () => {
    const config = readConfig({ ...neededSettings, PORT: 'tcp://10.0.0.1:8080', METRICS_PORT: 'tcp://10.0.0.1:9464' })
    assert.deepEqual([config.port, config.metrics.port], [8080, 9464])
    assert.deepEqual(config.notes, [
      { is: 'passed_over', setting: 'PORT' },
      { is: 'passed_over', setting: 'METRICS_PORT' },
    ])
  })

  test('of proxies is read in small letters too; capitals win', () => {
    const { proxies } = readConfig({
      ...neededSettings,
      https_proxy: 'http://one:1',
      HTTP_PROXY: 'http://two:2',
      http_proxy: 'http://x',
    })
    assert.deepEqual(proxies, { https: 'http://one:1', http: 'http://two:2', except: undefined })
  })

  test('of allowed accounts counts the single account among them', () => {
    const single = {
      DRIFT_ORG_ID: '7',
      SEGMENT_WRITE_KEY: 'Pl4ntedQ7wXk0123456789abcdefghij',
      DRIFT_ACCESS_TOKEN: 'aT6k',
    }
    const { orgsAllowed } = readConfig({ ...neededSettings, ...single, DRIFT_ORG_IDS_ALLOWED: '1, 2' })
    assert.deepEqual([...orgsAllowed!], ['1', '2', '7'])
    assert.equal(readConfig(neededSettings).orgsAllowed, undefined)
  })
})
