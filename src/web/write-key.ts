/** `/connect/write-key`: the last step of an install, where the account says into which Segment source its events go. */
import type { Context, Hono } from 'hono'
import type { Config } from '../config.ts'
import { judgeScopes } from '../drift/scopes.ts'
import { changeWriteKey, testWriteKey } from '../install/change-key.ts'
import { openGrant } from '../install/grant.ts'
import type { Keyring } from '../install/keyring.ts'
import type { Roster } from '../install/roster.ts'
import { fingerprintOf, shownKey, writeKeyProblem, writeKeyWarning } from '../install/write-key.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import type { Audit } from '../storage/ports.ts'
import { formOf } from './form.ts'
import { type WriteKeyPage, writeKeyPage } from './pages/connect.ts'
import { allowOldProof, type Sessions, type Web } from './session.ts'

interface Needs {
  config: Pick<Config, 'drift' | 'segment' | 'single'>
  sessions: Sessions
  roster: Roster
  keyring: Keyring
  audit: Audit
  send: Send
  clock: Clock
  random: Random
}

const path = '/connect/write-key'

export function writeKeyRoutes(app: Hono<Web>, needs: Needs): void {
  const { config, sessions, roster, keyring, audit } = needs
  const { settingsUrl } = config.drift

  async function shown(c: Context<Web>, more: Partial<WriteKeyPage> = {}) {
    const session = c.get('session')
    const install = roster.get(session.org)
    const scopes = install && (await openGrant(keyring, install))?.scopes
    const key = await shownKey(keyring, install)
    return writeKeyPage({
      session,
      settingsUrl,
      region: install?.region ?? 'us',
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
    const given = await givenBy(c)
    if ('problem' in given) return c.html(await shown(c, given), 422)
    const { org, who } = c.get('session')
    const { writeKey, region, replaces } = given
    const changed = await changeWriteKey(needs, org, { writeKey, region, by: who, ...(replaces ? { replaces } : {}) })
    if (changed.is === 'gone') return c.redirect('/console', 303)
    if (changed.is === 'stale') return c.html(await shown(c, { isStale: true, region }), 409)
    const about = `fingerprint ${changed.fingerprint}, region ${region}`
    await audit.add({ at: needs.clock.now(), org, who, what: 'set the Segment write key', about })
    return c.redirect(settingsUrl, 303)
  })

  app.post(`${path}/test`, allowOldProof, async (c) => {
    if (isGone(c)) return c.redirect('/console', 303)
    const given = await givenBy(c)
    if ('problem' in given) return c.html(await shown(c, given), 422)
    const { writeKey, region } = given
    const { org, who } = c.get('session')
    const tested = await testWriteKey({ ...needs, segment: config.segment }, writeKey, region)
    const fingerprint = fingerprintOf(writeKey)
    await audit.add({
      at: needs.clock.now(),
      org,
      who,
      what: 'tested a write key',
      about: `fingerprint ${fingerprint}`,
    })
    const held = (await keyring.seal(org, heldPlace(org), writeKey)).toString('base64url')
    return c.html(
      await shown(c, { region, warning: writeKeyWarning(writeKey), tested: { ...tested, held, fingerprint } }),
    )
  })

  /** In single-account mode the settings say where the events go, and they would again at the next start. */
  function isGone(c: Context<Web>): boolean {
    const { org } = c.get('session')
    return org === config.single?.org || (roster.get(org)?.state ?? 'disconnected') === 'disconnected'
  }

  async function givenBy(
    c: Context<Web>,
  ): Promise<{ problem: string } | { writeKey: string; region: 'us' | 'eu'; replaces: string }> {
    const { writeKey: pasted, region, replaces, tested } = await formOf(c, ['writeKey', 'region', 'replaces', 'tested'])
    const writeKey = pasted.trim() === '' && tested !== '' ? await heldKey(c.get('session').org, tested) : pasted.trim()
    if (region !== 'us' && region !== 'eu') return { problem: 'choose where the workspace is: us or eu' }
    const problem = writeKeyProblem(writeKey)
    return problem ? { problem } : { writeKey, region, replaces }
  }

  async function heldKey(org: string, held: string): Promise<string> {
    return keyring.open(heldPlace(org), Buffer.from(held, 'base64url')).then(String, () => '')
  }
}

/** Tied to the account: what another account tested opens nothing here. */
function heldPlace(org: string): string {
  return `form write_key ${org}`
}
