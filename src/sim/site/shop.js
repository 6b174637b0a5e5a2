// The demo page's own part: shows what Segment received, and lets a person load the page with another bridge.
const { segment, key } = document.currentScript.dataset
const list = document.getElementById('received')
const form = document.getElementById('settings')
const state = document.getElementById('state')
const chosen = new URLSearchParams(location.search)
for (const select of form.querySelectorAll('select')) {
  select.value = chosen.get(select.name) ?? select.value
  select.onchange = () => form.submit()
}

const choose = (consent) => () => window.driftSegmentBridge?.consent(consent)
document.getElementById('accept').onclick = choose('granted')
document.getElementById('refuse').onclick = choose('denied')
document.getElementById('forget').onclick = () => {
  localStorage.clear()
  location.reload()
}

function element(tag, text, className) {
  const made = document.createElement(tag)
  if (text !== undefined) made.textContent = text
  if (className) made.className = className
  return made
}

function lineOf(message) {
  const { event = 'Page view', type, anonymousId, properties, context = {}, timestamp } = message
  const [, prefix = '', name] = /^(Drift Source Event: )?(.*)$/.exec(event)
  const title = element('b')
  title.append(element('small', prefix), name)
  const head = element('div', undefined, 'head')
  head.append(title, element('time', new Date(timestamp).toTimeString().slice(0, 8)))
  const isContact = /^\d+$/.test(anonymousId)
  const who = element('div', 'anonymousId ', isContact ? 'who contact' : 'who')
  who.append(element('code', anonymousId), element('span', isContact ? "Drift's contact id" : "Segment's own"))
  const fields = element('dl')
  const [external] = context.externalIds ?? []
  const carried = {
    ...(type === 'track' ? properties : {}),
    ...(external && { [`externalIds: ${external.type}`]: external.id }),
  }
  for (const [field, value] of Object.entries(carried)) {
    const said = element('dd')
    said.append(element('code', JSON.stringify(value)))
    fields.append(element('dt', field), said)
  }
  const whole = element('details')
  whole.append(element('summary', 'the whole message'), element('pre', JSON.stringify(message, null, 2)))
  const line = element('li', undefined, type)
  line.append(head, who, fields, whole)
  return line
}

function told(received) {
  const { consent, drift, kept = 0, dropped = 0 } = window.driftSegmentBridge?.state() ?? {}
  if (!received) return 'The simulated Segment does not answer any more.'
  if (!consent) return 'The bridge is not on this page.'
  const isUp = window.analytics?.initialized === true
  const segmentIs = isUp
    ? 'Segment is loaded'
    : chosen.get('blocked')
      ? 'Segment is blocked'
      : 'Segment is not loaded yet'
  const waits = kept > 0 ? ` ${kept} kept until the visitor chooses.` : ''
  const lost = dropped > 0 ? ` ${dropped} dropped.` : ''
  return `${received.length} messages. Consent is ${consent}; ${segmentIs}; the chat is ${drift ? '' : 'not '}there.${waits}${lost}`
}

async function refresh() {
  const answer = await fetch(`${segment}/demo/received?writeKey=${key}`).catch(() => undefined)
  const received = answer?.ok ? await answer.json() : undefined
  state.textContent = told(received)
  const fresh = received?.slice(list.children.length) ?? []
  for (const message of fresh) list.prepend(lineOf(message))
  setTimeout(() => void refresh(), 300)
}

void refresh()
