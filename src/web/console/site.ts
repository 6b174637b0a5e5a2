import type { Hono } from 'hono'
import { widgetEvents } from '../../bridge/events.ts'
import { bridgeScript } from '../bridge.ts'
import { formOf } from '../form.ts'
import { type SitePage, sitePage, type Wanted } from '../pages/site.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { snippet } from '../snippet.ts'
import type { ConsoleNeeds } from './index.ts'

const asFirst: Wanted = { identify: 'contact', consent: 'granted', segment: '', drift: '', pinned: false }

export function siteRoutes(app: Hono<Web>, { publicUrl }: ConsoleNeeds): void {
  const pageOf = (session: Session, wanted: Wanted, more: Pick<SitePage, 'wrong'> = {}) => {
    const { segment, drift, ...rest } = wanted
    const usable = more.wrong === undefined ? { ...(segment ? { segment } : {}), ...(drift ? { drift } : {}) } : {}
    const tag = snippet({ url: publicUrl(), ...rest, ...usable })
    const kilobytes = (bridgeScript.bytes.gzip / 1_000).toFixed(1)
    return sitePage({ session, wanted, tag, events: widgetEvents.map(({ name }) => name), kilobytes, ...more })
  }

  app.get('/console/site', (c) => c.html(pageOf(c.get('session'), asFirst)))

  // A POST, although it changes nothing: a key that was pasted by mistake must not stand in an address.
  app.post('/console/site', allowOldProof, async (c) => {
    const form = await formOf(c, ['identify', 'consent', 'segment', 'drift', 'pinned'])
    const wanted: Wanted = {
      identify: form.identify === 'link' ? 'link' : 'contact',
      consent: form.consent === 'pending' ? 'pending' : 'granted',
      segment: form.segment.trim(),
      drift: form.drift.trim(),
      pinned: form.pinned !== '',
    }
    const isUsable = [wanted.segment, wanted.drift].every((value) => /^[\w-]{0,200}$/.test(value))
    if (isUsable) return c.html(pageOf(c.get('session'), wanted))
    const wrong = 'A write key and an embed id have letters, digits, - and _ only.'
    return c.html(pageOf(c.get('session'), wanted, { wrong }), 422)
  })
}
