// biome-ignore-all lint: bytes count here, and the minifier does not find all of them
// biome-ignore-all format: the same
// The reserve, which stands in the page behind the starter: as long as the file is not there, it sends what the starter keeps,
// which then keeps it no longer, so a file that comes late finds nothing to send again. It knows the twelve events and the
// options that `snippet` prints; where a page says more, it leaves everything to the file. A test holds it to what the file
// says. With LOADS it also loads Drift and Segment, after four seconds: what the page loads itself is there by then.
;((w, d, nonce, begun, until, left, policy) => {
  const contactOf = (x) => ((typeof x == 'string' || Number.isSafeInteger(x)) && /^[1-9]\d{0,18}$/.test(x) ? x + '' : '')
  const idsOf = (id, type) => [{ id, type, collection: 'users', encoding: 'none' }]
  const forget = (x) => x && x.catch && x.catch(() => {})

  const ready = (a, has, [[event, data], at, url, title]) => {
    const properties = {}
    const context = {}
    const options = { integrations: { Drift: false }, timestamp: new Date(at) }
    let contact
    'firstI 0 1 2 contactId=authorId,startC 0 inboxId contactId=endUserId email=endUserEmail,selected driftConversationId=0,request driftTeamMemberId=teamMember.id driftTeamMemberName=teamMember.name,playb 1 2,slider 1 2,campaign 2'
      .split(',')
      .find((line) => event.includes(line.split(' ')[0]))
      .replace(/\d/g, (n) => ['conversation', 'playbook', 'campaign'][n] + 'Id')
      .split(' ')
      .map((word, nth) => {
        const [name, path = name] = word.split('=')
        let x
        try {
          x = path.split('.').reduce((of, key) => (of == null ? of : of[key]), data)
        } catch (_) {}
        if (name == 'contactId') {
          x = contact = contactOf(x)
          if (x && Number.isSafeInteger(+x)) x = +x
        }
        if (nth && (typeof x == 'boolean' || (x && typeof x == 'string') || Number.isFinite(x)) && !has('omit', (v) => (v.split ? v.split(/[\s,]+/) : v).includes(name)))
          properties[name] = x
      })
    const isLink = has('identify', (v) => v != 'contact')
    return () => {
      if (contact && isLink) context.externalIds = idsOf(contact, 'drift_contact_id')
      else if (contact) {
        try {
          const id = (a.instance || a).user().anonymousId()
          if (id && typeof id == 'string' && !contactOf(id)) context.externalIds = idsOf(id, 'anonymous_id')
        } catch (_) {}
        a.setAnonymousId ? forget(a.setAnonymousId(contact)) : (options.anonymousId = contact)
      }
      if (url != d.URL || title != d.title) {
        const [, whole, path, search] = /^(\w+:\/\/[^/?#]*([^?#]*)(\??[^#]*))/.exec(url) || []
        context.page = { url: whole, path, search, title }
      }
      for (const _ in context) options.context = context
      forget(a.track('Drift Source Event: ' + event, properties, options))
    }
  }

  const look = (now) => {
    const all = []
    const sent = []
    let c
    let s = w.driftSegmentBridge
    for (; s && s.h && s.q; s = s.g) {
      all.push(s)
      c = c || s.c
    }
    const said = [].concat(...all.map(({ o }) => Object.entries(o)))
    const has = (name, test) => said.some(([key, v]) => key == name && v != null && test(v))
    // What the page wrote itself, and options that only the file knows.
    if (s || said.some(([key]) => !/^((drift|segment)(Url)?|identify|consent|respectOptOut|omit)$/.test(key))) return
    const isAsked = navigator.globalPrivacyControl === true || navigator.doNotTrack === '1'
    const isChosen = c == 'granted' || c == 'denied'
    const isDenied = isChosen ? c == 'denied' : (isAsked && has('respectOptOut', (v) => /^(true)?$/.test(v))) || has('consent', (v) => v == 'denied')
    const isGranted = isChosen ? !isDenied : c === undefined && !isDenied && !has('consent', (v) => v != 'granted')
    if (LOADS && now - begun > 4e3 && all[0]) {
      const text = (name, or) => (said.find(([key]) => key == name) || [0, or])[1]
      const load = (name, id, methods, address, more) => {
        const there = w[name] || (name == 'drift' && w.driftt)
        const queue = Array.isArray(there) ? there : []
        if (!id || (there && (there.invoked || there.load || (there != queue && (there.on || there.track))))) return
        queue.invoked = true
        queue.methods = methods.split(' ')
        queue.methods.map((method) => (queue[method] = (...x) => (queue.push([method, ...x]), queue)))
        queue.load = () => {}
        more(w[name] = queue)
        try {
          policy = policy || w.trustedTypes.createPolicy('drift-segment-source', { createScriptURL: (x) => x })
          address = policy.createScriptURL(address)
        } catch (_) {}
        d.head.append(Object.assign(d.createElement('script'), { nonce, src: address }))
      }
      const drift = text('drift')
      const key = text('segment')
      const cdn = text('segmentUrl', 'https://cdn.segment.com')
      load('drift', drift, 'identify config track reset debug show ping page hide off on', `${text('driftUrl', 'https://js.driftt.com')}/include/${Math.ceil(new Date() / 3e5) * 3e5}/${drift}.js`, (queue) => (w.driftt = queue))
      isGranted &&
        load('analytics', key, 'trackSubmit trackClick trackLink trackForm pageview identify reset group track ready alias debug page screen once off on addSourceMiddleware addIntegrationMiddleware setAnonymousId addDestinationMiddleware register', `${cdn}/analytics.js/v1/${key}/analytics.min.js`, (queue) => {
          queue._cdn = cdn
          queue._writeKey = key
          queue.page()
        })
    }
    const a = w.analytics
    if (!isDenied && !(isGranted && a && a.track && (a.initialized === true || !Array.isArray(a)))) return
    // A broken page may say very much.
    if (now > until) {
      until = now + 1e4
      left = 100
    }
    const happened = []
    all
      .reduce((most, { q }) => (q.length > most.length ? q : most), [])
      .map((one) => {
        // Starters, and a widget that took over its snippet's wishes, may tell of one firing several times.
        const [[event, , from], at] = one
        if (sent.some(([[e, , f], t]) => e == event && f != from && at - t < 6)) return
        sent.push(one)
        isDenied || left-- < 1 || happened.push(ready(a, has, one))
      })
    // Whatever goes wrong before here, as where a page has broken the methods of lists, the file finds everything.
    all.map((one) => (one.q = []))
    happened.map((send) => {
      try {
        send()
      } catch (_) {}
    })
  }
  let wait = 100
  const act = () => {
    try {
      look(+new Date())
    } catch (_) {}
    ;(w.driftSegmentBridge || 0).state || setTimeout(act, (wait = Math.min(wait + 10, 1e3)))
  }
  act()
})(window, document, (document.currentScript || 0).nonce || '', +new Date(), 0)
