// Keeps a page as it would be if it were loaded now: the server says that something changed, the page is fetched again,
// and the parts that are marked take the place of the old ones. Without this script, reloading does the same.
{
  const root = document.querySelector('[data-live]')
  const sign = document.querySelector('.live')
  let source
  let isFetching = false
  let isStale = false

  const say = (isOn) => {
    sign?.classList.toggle('on', isOn)
    if (sign) sign.textContent = isOn ? 'Live' : 'Not live: reload to see what is new'
  }

  // Not fetch and innerHTML: a document that is parsed by the request runs no script, and no text becomes HTML here.
  const refresh = () => {
    if (isFetching) {
      isStale = true
      return
    }
    isFetching = true
    isStale = false
    const request = new XMLHttpRequest()
    request.open('GET', location.href.split('#')[0])
    request.responseType = 'document'
    // Browsers before 2023 do not say that no person asked; such a look must not keep the session alive.
    request.setRequestHeader('x-refresh', 'live')
    request.onloadend = () => {
      isFetching = false
      const fresh = request.status === 200 ? request.response : undefined
      if (!fresh?.querySelector('[data-live]')) {
        stop()
        return
      }
      for (const part of fresh.querySelectorAll('[data-part]')) replace(part)
      document.dispatchEvent(new Event('refreshed'))
      if (isStale) refresh()
    }
    request.send()
  }

  const replace = (part) => {
    const old = document.getElementById(part.id)
    // Nobody is interrupted while they type or choose.
    if (!old || (old.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')))
      return
    const focused = old.contains(document.activeElement) ? pathTo(old, document.activeElement) : undefined
    const known = new Set([...old.querySelectorAll('tr[id]')].map(({ id }) => id))
    const open = [...old.querySelectorAll('details')].map((one) => one.open)
    const next = document.adoptNode(part)
    next.querySelectorAll('details').forEach((one, at) => {
      one.open = open[at] ?? one.open
    })
    if (known.size > 0)
      for (const row of next.querySelectorAll('tr[id]')) if (!known.has(row.id)) row.classList.add('fresh')
    old.replaceWith(next)
    if (focused) focused.reduce((at, index) => at?.children[index], next)?.focus({ preventScroll: true })
  }

  const pathTo = (from, element) => {
    const path = []
    for (let at = element; at !== from; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at))
    return path
  }

  const start = () => {
    source = new EventSource(root.dataset.live)
    source.addEventListener('ready', () => say(true))
    source.addEventListener('change', refresh)
    source.onerror = () => say(false)
  }
  const stop = () => {
    source?.close()
    source = undefined
    say(false)
  }

  if (root) {
    // A page that nobody looks at asks for nothing.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) stop()
      else if (!source) {
        refresh()
        start()
      }
    })
    addEventListener('pagehide', stop)
    start()
  }
}
