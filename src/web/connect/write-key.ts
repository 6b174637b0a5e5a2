/** `/connect/write-key`: the last step of an install, where the account says into which Segment source its events go. */

import type { Context, Hono } from 'hono'
import type { Accounts } from '../../accounts/accounts.ts'
import { record } from '../../accounts/audit.ts'
import { changeWriteKey, testWriteKey } from '../../accounts/change-key.ts'
import { openGrant } from '../../accounts/grant.ts'
import type { Keyring } from '../../accounts/keyring.ts'
import { noSettings, settingsOf } from '../../accounts/settings.ts'
import { fingerprintOf, shownKey } from '../../accounts/write-key.ts'
import type { Config } from '../../config.ts'
import { judgeScopes } from '../../drift/scopes.ts'
import type { Clock } from '../../lib/clock.ts'
import { trimmed } from '../../lib/pasted.ts'
import type { Random } from '../../lib/random.ts'
import type { Send } from '../../lib/request.ts'
import { judgeWriteKey } from '../../segment/key.ts'
import { regionIn } from '../../segment/region.ts'
import type { Audit } from '../../storage/ports/accounts.ts'
import { formOf } from '../http/form.ts'
import { type WriteKeyPage, writeKeyPage } from '../pages/connect.ts'
import { allowOldProof, type Sessions, type Web } from '../session.ts'
import { heldKey, holdKey, keyGiven } from './key-form.ts'

interface Needs {
  config: Pick<Config, 'drift' | 'segment' | 'single'>
  sessions: Sessions
  accounts: Accounts
  keyring: Keyring
  storage: { audit: Audit }
  send: Send
  clock: Clock
  random: Random
}

const path = '/connect/write-key'

export function writeKeyRoutes(app: Hono<Web>, needs: Needs): void {
  const { config, sessions, accounts, keyring } = needs
  const { settingsUrl } = config.drift

  async function shown(c: Context<Web>, more: Partial<WriteKeyPage> = {}) {
    const session = c.get('session')
    const install = accounts.get(session.org)
    const scopes = install && (await openGrant(keyring, install))?.scopes
    const key = await shownKey(keyring, install)
    return writeKeyPage({
      session,
      settingsUrl,
      region: settingsOf(install ?? { org: session.org, settings: noSettings }).region,
      key,
      scopes: scopes && judgeScopes(scopes),
      ...more,
    })
  }

  app.use(path, sessions.required)
  app.use(`${path}/*`, sessions.required)
  app.get(path, async (c) => (isGone(c) ? c.redirect('/console', 303) : c.html(await shown(c))))

  app.post(path, async (c) => {
    if (isGone(c)) return c.redirect('/console', 303)
    const { org, who } = c.get('session')
    const { writeKey: pasted, chosen, region, replaces, tested, isLost } = await fieldsOf(c)
    if (!region) return c.html(await shown(c, { problem: noRegion, tested }), 422)
    const known = tested && { word: 'tested' as const, key: tested.key }
    const given = await keyGiven(keyring, org, { pasted, chosen, known, isLost })
    if (given.is === 'wrong') return c.html(await shown(c, { region, problem: given.problem, tested }), 422)
    if (given.is === 'unsure') return c.html(await shown(c, { region, question: { ...given.question, replaces } }), 422)
    const { writeKey } = given
    const changed = await changeWriteKey(needs, org, { writeKey, region, by: who, ...(replaces ? { replaces } : {}) })
    if (changed.is === 'gone') return c.redirect('/console', 303)
    if (changed.is === 'stale') return c.html(await shown(c, { isStale: true, region, tested }), 409)
    return c.redirect(settingsUrl, 303)
  })

  app.post(`${path}/test`, allowOldProof, async (c) => {
    if (isGone(c)) return c.redirect('/console', 303)
    const { org, who } = c.get('session')
    const { writeKey: pasted, region, tested: earlier } = await fieldsOf(c)
    if (!region) return c.html(await shown(c, { problem: noRegion, tested: earlier }), 422)
    const judged = judgeWriteKey(trimmed(pasted) || (earlier?.key ?? ''))
    if (judged.is === 'refused') return c.html(await shown(c, { region, problem: judged.why, tested: earlier }), 422)
    const writeKey = judged.key
    const warning = judged.is === 'unusual' ? `${judged.why}.` : undefined
    const result = await testWriteKey({ ...needs, segment: config.segment }, writeKey, region)
    const tested = await holdKey(keyring, org, writeKey)
    const about = `fingerprint ${tested.fingerprint}`
    await record({ ...needs.storage, clock: needs.clock }, { org, who, act: 'testedKey', about })
    return c.html(await shown(c, { region, warning, tested, result }))
  })

  /**
   * In single-account mode the settings say where the events go, and they would again at the next start. Of an account
   * whose settings this version cannot read, none is changed.
   */
  function isGone(c: Context<Web>): boolean {
    const { org } = c.get('session')
    const install = accounts.get(org)
    const isHere = install !== undefined && install.state !== 'disconnected'
    return org === config.single?.org || !isHere || install.unreadable === true
  }

  async function fieldsOf(c: Context<Web>) {
    const { tested, region, ...fields } = await formOf(c, ['writeKey', 'region', 'replaces', 'tested', 'chosen'])
    const key = tested === '' ? undefined : await heldKey(keyring, c.get('session').org, tested)
    const known = key === undefined ? undefined : { key, held: tested, fingerprint: fingerprintOf(key) }
    return { ...fields, region: regionIn(region), tested: known, isLost: tested !== '' && key === undefined }
  }
}

const noRegion = 'choose where the workspace is: us or eu'
