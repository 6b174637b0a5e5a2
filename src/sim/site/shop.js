// The demo page's own part: shows what Segment received, and lets a person load the page with another bridge.
const { segment, key } = document.currentScript.dataset
const list = document.getElementById('received')
const form = document.getElementById('settings')
const chosen = new URLSearchParams(location.search)
for (const name of ['identify', 'consent']) if (chosen.has(name)) form.elements[name].value = chosen.get(name)

document.getElementById('accept').onclick = () => window.driftSegmentBridge.consent('granted')
document.getElementById('forget').onclick = () => {
  localStorage.clear()
  location.reload()
}

function lineOf({ event, type, anonymousId, properties, context = {} }) {
  const line = document.createElement('li')
  const name = document.createElement('strong')
  name.textContent = event || type
  const who = document.createElement('span')
  who.className = 'who'
  who.textContent = anonymousId
  who.title = 'anonymousId'
  const carried = document.createElement('pre')
  const beside = context.externalIds ? { externalIds: context.externalIds } : {}
  carried.textContent = JSON.stringify(event ? { ...properties, ...beside } : {}, null, 1)
  line.append(who, name, carried)
  return line
}

async function refresh() {
  const answer = await fetch(`${segment}/demo/received?writeKey=${key}`).catch(() => undefined)
  const received = answer?.ok ? await answer.json() : undefined
  const { kept = 0, dropped = 0, consent = 'unknown' } = window.driftSegmentBridge?.state?.() ?? {}
  const there = received ? `${received.length} received` : 'Segment does not answer'
  document.getElementById('state').textContent = `${there}; consent ${consent}, ${kept} kept, ${dropped} dropped`
  if (received && received.length !== list.children.length) list.replaceChildren(...received.reverse().map(lineOf))
  setTimeout(() => void refresh(), 500)
}

void refresh()
