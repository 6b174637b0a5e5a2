/**
 * The adapters for consent managers, each against a stand-in that behaves as the manager's own documentation says: what it
 * puts into the window, when it calls, and in which form. No manager itself is run here.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { followCookiebot } from '../../packages/bridge/src/consent/cookiebot.ts'
import { followGoogle } from '../../packages/bridge/src/consent/google.ts'
import { followOneTrust } from '../../packages/bridge/src/consent/onetrust.ts'
import { followTcf } from '../../packages/bridge/src/consent/tcf.ts'
import { startBridge } from '../../packages/bridge/src/index.ts'
import { fakePage, fakeSegment, fakeWidget } from '../bridge-page.ts'

type Window = Record<string, unknown>

/** A window with a bridge that says which choices it got, and events as a browser has them. */
function consentPage(fields: Window = {}) {
  const said: string[] = []
  const listeners: [string, () => void][] = []
  const timers: (() => void)[] = []
  const page: Window = {
    driftSegmentBridge: { consent: (choice: string) => void said.push(choice) },
    addEventListener: (type: string, listener: () => void) => void listeners.push([type, listener]),
    setTimeout: (callback: () => void) => void timers.push(callback),
    ...fields,
  }
  return {
    page,
    said,
    dispatch: (type: string) => {
      for (const [wanted, listener] of listeners) if (wanted === type) listener()
    },
    pass: () => timers.shift()?.(),
    given: page as never,
  }
}

describe('OneTrust', () => {
  test('a banner that is not answered leaves it pending; accepting, rejecting and taking back are said once each', () => {
    const { page, said, dispatch, given } = consentPage()
    followOneTrust({}, given)
    // Its script comes: groups that are always active, and the banner is up.
    let isClosed = false
    page.OneTrust = { IsAlertBoxClosed: () => isClosed }
    page.OnetrustActiveGroups = ',C0001,'
    dispatch('OneTrustGroupsUpdated')
    assert.deepEqual(said, ['pending'])
    isClosed = true
    page.OnetrustActiveGroups = ',C0001,C0002,C0003,'
    dispatch('OneTrustGroupsUpdated')
    dispatch('OneTrustGroupsUpdated')
    page.OnetrustActiveGroups = ',C0001,'
    dispatch('OneTrustGroupsUpdated')
    assert.deepEqual(said, ['pending', 'granted', 'denied'])
  })

  test('where groups are active without an answer, as by opt-out, it is granted; another category may be asked for', () => {
    const { said, given } = consentPage({
      OnetrustActiveGroups: ',C0001,C0002,',
      OneTrust: { IsAlertBoxClosed: () => false },
    })
    followOneTrust({}, given)
    followOneTrust({ category: 'C0004' }, given)
    assert.deepEqual(said, ['granted', 'pending'])
  })
})

describe('Cookiebot', () => {
  test('is read when it is ready, and at each answer', () => {
    const { page, said, dispatch, given } = consentPage()
    followCookiebot({}, given)
    const consent = { necessary: true, preferences: false, statistics: false, marketing: false }
    const cookiebot = { consent, hasResponse: false }
    page.Cookiebot = cookiebot
    dispatch('CookiebotOnConsentReady')
    cookiebot.hasResponse = true
    consent.statistics = true
    dispatch('CookiebotOnAccept')
    consent.statistics = false
    dispatch('CookiebotOnDecline')
    assert.deepEqual(said, ['pending', 'granted', 'denied'])
  })

  test('an answer of an earlier visit counts at once, for the category that is asked for', () => {
    const consent = { statistics: true, marketing: false }
    const { said, given } = consentPage({ Cookiebot: { consent, hasResponse: true } })
    followCookiebot({}, given)
    followCookiebot({ category: 'marketing' }, given)
    assert.deepEqual(said, ['granted', 'denied'])
  })
})

describe('IAB TCF', () => {
  function cmp() {
    const callbacks: ((data: unknown, success: boolean) => void)[] = []
    const api = (command: string, version: number, callback: (data: unknown, success: boolean) => void) => {
      assert.deepEqual([command, version], ['addEventListener', 2])
      callbacks.push(callback)
    }
    return {
      api,
      tell: (data: unknown, success = true) => callbacks.forEach((callback) => void callback(data, success)),
    }
  }

  test('waits for the API, and for an answer; consent to every purpose is a yes, anything less a no', () => {
    const { page, said, pass, given } = consentPage()
    followTcf({}, given)
    const { api, tell } = cmp()
    page.__tcfapi = api
    pass()
    const with_ = (eventStatus: string, consents: object) => ({ gdprApplies: true, eventStatus, purpose: { consents } })
    tell(null, false)
    tell(with_('cmpuishown', {}))
    assert.deepEqual(said, ['pending'])
    tell(with_('useractioncomplete', { 1: true, 8: true }))
    tell(with_('useractioncomplete', { 1: true, 8: false }))
    assert.deepEqual(said, ['pending', 'granted', 'denied'])
  })

  test('an earlier answer counts when it is loaded; where GDPR does not apply it is granted; a vendor may be asked for', () => {
    const data = {
      gdprApplies: true,
      eventStatus: 'tcloaded',
      purpose: { consents: { 1: true } },
      vendor: { consents: { 7: true } },
    }
    for (const [options, told, choice] of [
      [{ purposes: '1' }, data, 'granted'],
      [{ purposes: [1], vendor: 7 }, data, 'granted'],
      [{ purposes: [1], vendor: '8' }, data, 'denied'],
      [{}, { gdprApplies: false, eventStatus: 'tcloaded' }, 'granted'],
    ] as const) {
      const { api, tell } = cmp()
      const { said, given } = consentPage({ __tcfapi: api })
      followTcf(options, given)
      tell(told)
      assert.deepEqual(said, ['pending', choice])
    }
  })
})

describe('Google consent mode', () => {
  /** As Google's own snippet writes it: the arguments themselves are the entry. */
  const gtagIn = (page: Window) =>
    function gtag(..._args: unknown[]) {
      // biome-ignore lint/complexity/noArguments: that is what gtag pushes
      ;(page.dataLayer as unknown[]).push(arguments)
    }

  test('a default of denied waits, an update is the visitor’s word, whatever defaults come after it', () => {
    const { page, said, given } = consentPage({ dataLayer: [] })
    const gtag = gtagIn(page)
    gtag('consent', 'default', { ad_storage: 'denied', analytics_storage: 'denied' })
    followGoogle({}, given)
    gtag('js', new Date())
    ;(page.dataLayer as unknown[]).push({ event: 'gtm.js' }, null, () => {}, 7)
    assert.deepEqual(said, ['pending'])
    gtag('consent', 'update', { analytics_storage: 'granted' })
    gtag('consent', 'default', { analytics_storage: 'denied' })
    gtag('consent', 'update', { ad_storage: 'denied' })
    gtag('consent', 'update', { analytics_storage: 'denied' })
    assert.deepEqual(said, ['pending', 'granted', 'denied'])
    assert.equal((page.dataLayer as unknown[]).length, 10)
  })

  test('a default of granted is granted, unless another region’s is denied', () => {
    const { page, said, given } = consentPage()
    followGoogle({}, given)
    const gtag = gtagIn(page)
    gtag('consent', 'default', { analytics_storage: 'granted' })
    gtag('consent', 'default', { analytics_storage: 'denied', region: ['DE'] })
    assert.deepEqual(said, ['pending', 'granted', 'pending'])
  })
})

test('what is said before the bridge is there counts when it comes, and other options stay', () => {
  const widget = fakeWidget()
  const segment = fakeSegment()
  const page = Object.assign(
    fakePage({ drift: widget, analytics: segment, driftSegmentBridge: { omit: ['campaignId'] } }),
    {
      addEventListener() {},
      OnetrustActiveGroups: ',C0002,',
    },
  )
  followOneTrust({}, page as never)
  startBridge({ consent: 'pending' }, page)
  widget.fire('campaign:open', { campaignId: 1 })
  assert.deepEqual(segment.told(), [['track', 'Drift Source Event: campaign:open', {}]])
})

test('each is a script of at most 0.6 kB that follows by itself, as its tag says', () => {
  for (const name of ['onetrust', 'cookiebot', 'tcf', 'google']) {
    const text = readFileSync(new URL(`../../packages/bridge/built/consent-${name}.min.js`, import.meta.url))
    const { length } = gzipSync(text, { level: 9 })
    assert.ok(length <= 600, `${name}: ${length} bytes`)
  }
  const text = readFileSync(new URL('../../packages/bridge/built/consent-cookiebot.min.js', import.meta.url), 'utf8')
  const { page, said } = consentPage({ Cookiebot: { consent: { marketing: true }, hasResponse: true } })
  const document = { currentScript: { dataset: { category: 'marketing' } } }
  new Function('document', 'globalThis', text)(document, page)
  assert.deepEqual(said, ['granted'])
})
