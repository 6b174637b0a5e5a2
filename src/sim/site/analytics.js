// Stands in for analytics.js on the demo page, which is to work without Segment's: the queue of its snippet, its settings,
// and what it sends for the calls that the page makes. The tests use the real one.
void (async () => {
  const queue = window.analytics || []
  const { _writeKey: writeKey, _cdn: cdn } = queue
  const settings = await (await fetch(`${cdn}/v1/projects/${writeKey}/settings`)).json()
  const { apiHost, protocol } = settings.integrations['Segment.io']
  const idKey = 'ajs_anonymous_id'
  const anonymousId = () => localStorage.getItem(idKey) || newId()

  function newId(id = crypto.randomUUID()) {
    localStorage.setItem(idKey, id)
    return id
  }

  function send(type, fields, options = {}) {
    const { integrations = {}, timestamp = new Date(), context = {} } = options
    const { pathname, search, href } = location
    const message = {
      timestamp,
      integrations,
      type,
      ...fields,
      context: { page: { path: pathname, search, title: document.title, url: href }, ...context },
      messageId: `demo-${crypto.randomUUID()}`,
      anonymousId: anonymousId(),
      writeKey,
      userId: null,
      sentAt: new Date(),
    }
    return fetch(`${protocol}://${apiHost}/${type[0]}`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', authorization: `Basic ${btoa(`${writeKey}:`)}` },
      body: JSON.stringify(message),
      keepalive: true,
    })
  }

  const methods = {
    track: (event, properties = {}, options) => send('track', { event, properties }, options),
    page: () => send('page', { properties: { path: location.pathname, url: location.href } }),
    identify: (userId, traits = {}, options) => send('identify', { userId, traits }, options),
    setAnonymousId: (id) => newId(String(id)),
    reset: () => localStorage.removeItem(idKey),
    initialized: true,
  }
  const calls = queue.splice(0)
  window.analytics = Object.assign(queue, methods)
  for (const [name, ...args] of calls) await window.analytics[name]?.(...args)
})()
