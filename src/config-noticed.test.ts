/** What is odd about the settings and stops nothing: it is said at the start and by doctor. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { neededSettings } from '../test/settings.ts'
import { readConfig } from './config.ts'

describe('a setting', () => {
  const misspellings = ['SEGMENT_REGOIN', 'SEGMENT_REGON', 'SEGMENT_REGIONS', 'SEGMENT_RAGION', 'segment_region']
  test('that is one edit away from ours is noticed, with the one that was meant', () => {
    const odd = Object.fromEntries(misspellings.map((name) => [name, 'eu']))
    const { notes } = readConfig({ ...neededSettings, ...odd, DATABASE_URL_FIEL: '/x' })
    assert.deepEqual(notes, [
      ...misspellings.map((setting) => ({ is: 'misspelt', setting, meant: 'SEGMENT_REGION' })),
      { is: 'misspelt', setting: 'DATABASE_URL_FIEL', meant: 'DATABASE_URL_FILE' },
    ])
  })

  test('that begins as ours do, and that nothing reads, is noticed', () => {
    const { notes } = readConfig({ ...neededSettings, DRIFT_ORGS: '1', SEGMENT_KEY: 'x', DRIFT_ORG_ID_FILE: '/x' })
    assert.deepEqual(notes, [
      { is: 'unknown', setting: 'DRIFT_ORGS' },
      { is: 'unknown', setting: 'SEGMENT_KEY' },
      { is: 'unknown', setting: 'DRIFT_ORG_ID_FILE' },
    ])
  })

  test('that is a write key of an unusual form is taken, and noticed', () => {
    const single = { DRIFT_ORG_ID: '1', DRIFT_ACCESS_TOKEN: 'aT6k', SEGMENT_WRITE_KEY: '03fwkuu3' }
    const { notes, single: read } = readConfig({ ...neededSettings, ...single })
    assert.equal(read?.writeKey, '03fwkuu3')
    assert.deepEqual(
      notes.map(({ is, setting }) => [is, setting]),
      [['unusual', 'SEGMENT_WRITE_KEY']],
    )
  })

  test('PUBLIC_URL that is an example of the documents is taken, and noticed', () => {
    const noted = (PUBLIC_URL: string) => readConfig({ ...neededSettings, PUBLIC_URL }).notes
    for (const url of ['https://source.example.com', 'https://example.org'])
      assert.deepEqual(
        noted(url).map(({ is, setting }) => [is, setting]),
        [['unusual', 'PUBLIC_URL']],
      )
    for (const url of ['https://source.example', 'https://notexample.com', 'https://example.com.acme.io'])
      assert.deepEqual(noted(url), [])
  })

  test('that nothing reads without another one is noticed where the service starts', () => {
    const env = { ...neededSettings, SEGMENT_REGION: 'eu', ALERT_FROM: 'alerts@example.com' }
    assert.deepEqual(
      readConfig(env).notes.map((note) => [note.setting, 'why' in note && note.why]),
      [
        ['SEGMENT_REGION', 'nothing reads it without DRIFT_ORG_ID'],
        ['ALERT_FROM', 'nothing reads it without SMTP_URL'],
      ],
    )
    assert.deepEqual(readConfig({ ...env, SMTP_URL: 'smtps://mail.example' }).notes.length, 1)
    assert.deepEqual(readConfig(env, 'store').notes, [])
  })

  test('of another program is not noticed', () => {
    const others = {
      PATH: 'x',
      HOSTS: 'x',
      PORTS: 'x',
      DRIFT_SEGMENT_SOURCE_PORT: 'tcp://x',
      SEGMENT_PORT_8080_TCP_ADDR: '10.0.0.1',
      SEGMENT_SERVICE_HOST: '10.0.0.1',
      METRICS_SERVICE_PORT: '9464',
      no_proxy: 'x',
      HTTP_PROXY2: 'x',
    }
    assert.deepEqual(
      readConfig({ ...neededSettings, ...others }).notes.map(({ setting }) => setting),
      ['HTTP_PROXY2'],
    )
  })
})
