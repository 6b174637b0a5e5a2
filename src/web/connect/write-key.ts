/** `/connect/write-key`: the last step of an install, where the account says into which Segment source its events go. */

import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import type { Accounts } from '../../accounts/accounts.ts'
import { record } from '../../accounts/audit.ts'
import { changeWriteKey, type KeyTested, testWriteKey } from '../../accounts/change-key.ts'
import { firstOf } from '../../accounts/destinations.ts'
import { openGrant } from '../../accounts/grant.ts'
import type { Keyring } from '../../accounts/keyring.ts'
import { noSettings } from '../../accounts/settings.ts'
import { fingerprintOf, type KeyShown, shownKey } from '../../accounts/write-key.ts'
import type { Config } from '../../config.ts'
import { judgeScopes, type ScopesJudged, scopesNeeded } from '../../drift/scopes.ts'
import type { Clock } from '../../lib/clock.ts'
import { trimmed } from '../../lib/pasted.ts'
import type { Random } from '../../lib/random.ts'
import type { Send } from '../../lib/request.ts'
import { judgeWriteKey } from '../../segment/key.ts'
import { type Region, regionIn } from '../../segment/region.ts'
import type { Audit } from '../../storage/ports/accounts.ts'
import { regionNames } from '../console/place-field.ts'
import { type HeldKey, type KeyQuestion, keyQuestion } from '../console/ui/key-question.ts'
import { type Html, page } from '../console/ui/layout.ts'
import { notFilledIn, when } from '../console/ui/parts.ts'
import { adviceOn } from '../console/ui/reasons.ts'
import { formOf } from '../http/form.ts'
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
      region: firstOf(install ?? { org: session.org, settings: noSettings }).region,
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
    const result = await testWriteKey({ ...needs, segment: config.segment }, writeKey, { region })
    const tested = await holdKey(keyring, org, writeKey)
    const about = `fingerprint ${tested.fingerprint}`
    await record({ ...needs.storage, clock: needs.clock }, { org, who, act: 'testedKey', about })
    return c.html(await shown(c, { region, warning, tested, result }))
  })

  /**
   * In single-account mode the settings say where the events go, and they would again at the next start. Of an account
   * whose settings this version cannot read, none is changed; and this form, which knows Segment alone, would take the
   * events away from an endpoint.
   */
  function isGone(c: Context<Web>): boolean {
    const { org } = c.get('session')
    const install = accounts.get(org)
    const isHere = install !== undefined && install.state !== 'disconnected'
    if (org === config.single?.org || !isHere || install.unreadable === true) return true
    return firstOf(install).endpoint !== undefined
  }

  async function fieldsOf(c: Context<Web>) {
    const { tested, region, ...fields } = await formOf(c, ['writeKey', 'region', 'replaces', 'tested', 'chosen'])
    const key = tested === '' ? undefined : await heldKey(keyring, c.get('session').org, tested)
    const known = key === undefined ? undefined : { key, held: tested, fingerprint: fingerprintOf(key) }
    return { ...fields, region: regionIn(region), tested: known, isLost: tested !== '' && key === undefined }
  }
}

const noRegion = 'choose the region of the workspace'

interface WriteKeyPage {
  session: { org: string; csrf: string }
  settingsUrl: string
  region: 'us' | 'eu'
  /** The key that is there already. */
  key: KeyShown | undefined
  /** What Drift lets the app do; undefined where it did not say. */
  scopes?: ScopesJudged | undefined
  problem?: string | undefined
  warning?: string | undefined
  /** Another admin or process has changed the key since the form was loaded. */
  isStale?: boolean
  /** The key that was tested: it is saved when the field stays empty. */
  tested?: HeldKey | undefined
  /** What came of the test just now. */
  result?: KeyTested | undefined
  /** Takes the place of the form. */
  question?: (KeyQuestion & { replaces: string }) | undefined
}

function writeKeyPage(given: WriteKeyPage): Html {
  const { session, settingsUrl, region, key, scopes, warning, isStale, result, question } = given
  const body = html`<div class="head"><div><h1>Where should the events go?</h1>
      <p>Drift account <strong>${session.org}</strong> is connected. ${key ? 'Its events go to the Segment source of the write key below.' : 'Its events are received and kept already; they are sent once the write key is saved.'}</p></div></div>
    <div class="stack">
    ${scopes ? scopeNotices(scopes) : ''}
    ${isStale ? said('bad', 'The write key was changed meanwhile', 'Nothing of yours was saved. Below is what is saved now; save again if yours is still right.') : ''}
    ${result ? testNotices(result, region) : ''}
    ${warning ? said('warn', 'An unusual write key', warning) : ''}
    <section class="card"><h2>Segment</h2>
      ${key ? present(key) : ''}
      ${question ? keyQuestion(question, { action: path, csrf: session.csrf, fields: { region, replaces: question.replaces }, back: path }) : form(given)}
    </section>
    <p><a href="${settingsUrl}">${key ? 'Keep the saved key and go back to Drift' : 'Later: go back to Drift'}</a></p>
    </div>`
  return page({ title: 'Write key', session, uses: ['reveal.js'], body })
}

function form({ session, region, key, problem, tested }: WriteKeyPage): Html {
  return html`<form method="post" action="${path}" class="stack narrow">
        <input type="hidden" name="csrf" value="${session.csrf}">
        <input type="hidden" name="replaces" value="${key?.fingerprint ?? 'none'}">
        ${tested ? html`<input type="hidden" name="tested" value="${tested.held}">` : ''}
        <div class="field">
          <label for="writeKey">Write key</label>
          <input id="writeKey" name="writeKey" type="password" maxlength="300" ${notFilledIn} spellcheck="false" aria-describedby="writeKey-hint${problem ? ' writeKey-error' : ''}"${problem ? html` aria-invalid="true"` : ''}>
          <span class="hint" id="writeKey-hint">${tested ? html`Leave it empty to save the key that you tested, <code>${tested.fingerprint}</code>.` : 'In Segment: Connections → Sources → your source → Settings → API Keys. A source of the type HTTP API or Node.js.'}</span>
          ${problem ? html`<span class="error" id="writeKey-error">${problem}</span>` : ''}
        </div>
        <fieldset><legend>Region of the Segment workspace</legend>
          ${regionChoice('us', 'United States', region)}${regionChoice('eu', 'European Union', region)}
        </fieldset>
        <div class="row"><button class="primary">Save</button><button formaction="${path}/test">Send test event</button></div>
        <p class="hint">Segment accepts events of wrong write keys too. Send a test event before you save: only your look into the source proves that the key is right.</p>
      </form>`
}

function regionChoice(value: string, label: string, chosen: string): Html {
  return html`<label class="choice"><input type="radio" name="region" value="${value}"${value === chosen ? html` checked` : ''}><span>${label}</span></label>`
}

function present({ fingerprint, set }: KeyShown): Html {
  const by = set ? html`, saved by ${set.by}, ${when(set.at)}` : ''
  return html`<p>There is a write key already (fingerprint <code>${fingerprint}</code>${by}). It is used until you save another one.</p>`
}

function scopeNotices({ missing, needless }: ScopesJudged): Html {
  return html`${missing.map((scope) => said('warn', `The Drift app lacks ${scope}`, `Without it, ${scopesNeeded[scope]}. The operator adds it to the app in Drift; then reconnect.`))}
    ${needless.length > 0 ? said('warn', 'The Drift app has permissions that it does not need', `The operator can take away: ${needless.join(', ')}.`) : ''}`
}

function testNotices({ messageId, verdict, sign }: KeyTested, region: Region): Html {
  const looked = {
    known: [
      'good',
      'Segment’s public settings know this key',
      'So there is a source with it. Whether it is yours, the Debugger shows.',
    ],
    unconfirmed: [
      'info',
      'Segment’s public settings do not list this key',
      'That proves nothing: a new source, or one for servers only, may not be listed.',
    ],
    unasked: ['info', 'Segment’s public settings could not be asked', 'That says nothing about the key.'],
  } as const
  const [level, title, text] = looked[sign]
  const sent =
    verdict.is === 'done'
      ? said(
          'info',
          'A test event was sent, and Segment accepted it',
          html`It accepts events of wrong keys too, so look for it: in Segment open the source, then Debugger, and search for <code>${messageId}</code>. If it is not there after a minute, the write key or the region (${regionNames[region]}) belongs to another source.`,
        )
      : said(
          'bad',
          'Segment did not accept the test event',
          `${adviceOn(verdict.reason).happened} Compare the write key and the region (${regionNames[region]}) with the source.`,
        )
  return html`${sent}${said(level, title, text)}`
}

function said(level: string, title: string, text: string | Html): Html {
  return html`<div class="notice ${level}" role="status"><div><strong>${title}</strong>${text}</div></div>`
}
