import type { Hono } from 'hono'
import { trimmed, unseenProblem } from '../../lib/pasted.ts'
import { judgeWriteKey } from '../../segment/key.ts'
import { bridgeScript, widgetEventNames } from '../bridge.ts'
import { formOf } from '../http/form.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { type SitePage, sitePage, type Wanted } from '../pages/site.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { policyHash, snippet } from '../snippet.ts'

const asFirst: Wanted = { identify: 'contact', consent: 'granted', segment: '', drift: '', pinned: false, tag: false }

export function siteRoutes(app: Hono<Web>, { publicUrl }: ConsoleNeeds): void {
  const pageOf = (session: Session, wanted: Wanted, more: Pick<SitePage, 'wrong'> = {}) => {
    const { segment, drift, tag: isTag, ...rest } = wanted
    const usable = more.wrong === undefined ? { ...(segment ? { segment } : {}), ...(drift ? { drift } : {}) } : {}
    const tag = snippet({ url: publicUrl(), as: isTag ? 'tag' : 'starter', ...rest, ...usable })
    const kilobytes = (bridgeScript.bytes.gzip / 1_000).toFixed(1)
    return sitePage({ session, wanted, tag, hash: policyHash(tag), events: widgetEventNames, kilobytes, ...more })
  }

  app.get('/console/site', (c) => c.html(pageOf(c.get('session'), asFirst)))

  // A POST, although it changes nothing: a key that was pasted by mistake must not stand in an address.
  app.post('/console/site', allowOldProof, async (c) => {
    const form = await formOf(c, ['identify', 'consent', 'segment', 'drift', 'pinned', 'tag'])
    const wanted: Wanted = {
      identify: form.identify === 'link' ? 'link' : 'contact',
      consent: form.consent === 'pending' ? 'pending' : 'granted',
      segment: trimmed(form.segment),
      drift: trimmed(form.drift),
      pinned: form.pinned !== '',
      tag: form.tag !== '',
    }
    const wrong = problemOf(wanted)
    return wrong ? c.html(pageOf(c.get('session'), wanted, { wrong }), 422) : c.html(pageOf(c.get('session'), wanted))
  })
}

function problemOf({ segment, drift }: Wanted): string | undefined {
  const ofKey = segment === '' ? undefined : judgeWriteKey(segment)
  if (ofKey?.is === 'refused') return `Not used: ${ofKey.why}.`
  const ofDrift = unseenProblem(drift)
  if (ofDrift) return `Drift's embed id ${ofDrift}.`
  return /^[\w-]{0,200}$/.test(drift) ? undefined : "Drift's embed id has letters, digits, - and _ only."
}
