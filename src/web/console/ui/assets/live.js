// Keeps a page as it would be if it were loaded now: the server says that something changed, the page is fetched again,
// and the parts that are marked take the place of the old ones. Without this script, reloading does the same.
{
  const root = document.querySelector('[data-live]')
  const sign = document.querySelector('.live')
  let source
  let isFetching = false
  let isStale = false
  let isLater = false
  let isPressed = false

  const say = (isOn) => {
    sign?.classList.toggle('on', isOn)
    if (sign) sign.textContent = isOn ? 'Live' : 'Not live: reload to see what is new'
  }

  // Not fetch and innerHTML: a document that is parsed by the request runs no script, and no text becomes HTML here.
  const refresh = () => {
    if (isFetching || isPressed) {
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
      if (isPressed) {
        isStale = true
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
    // A person who types or chooses is not interrupted.
    if (!old || (old.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')))
      return
    if (old.querySelector('[data-rows] tr')) {
      updateRows(old, part)
      return
    }
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

  // Rows of a list keep their places, so that none moves under the pointer: each is updated where it is, and what is new is
  // offered by a link that shows it.
  const updateRows = (old, part) => {
    const rowsOf = (where) => [...where.querySelectorAll('[data-rows] tr')]
    const place = ({ id }) => Number(id.slice(1))
    // All but the time, which is written in the reader's own way.
    const said = ({ cells }) =>
      [...cells]
        .slice(1)
        .map(({ textContent }) => textContent)
        .join()
    const fresh = new Map(rowsOf(part).map((row) => [row.id, row]))
    const shown = rowsOf(old)
    const lowest = Math.min(...[...fresh.values()].map(place))
    const isCut = part.querySelector('[data-rows]')?.dataset.rows === 'cut'
    let gone = 0
    for (const row of shown) {
      const next = fresh.get(row.id)
      if (next && said(next) !== said(row)) {
        const focused = row.contains(document.activeElement) ? pathTo(row, document.activeElement) : undefined
        row.replaceWith(document.adoptNode(next))
        if (focused) focused.reduce((at, index) => at?.children[index], next)?.focus({ preventScroll: true })
      }
      // What is below the last of a full list may still be on its next page.
      else if (!next && !(isCut && place(row) < lowest)) {
        row.classList.add('gone')
        const state = row.querySelector('.state')
        if (state) state.textContent = 'Not in this list any more'
        gone++
      }
    }
    const highest = Math.max(...shown.map(place))
    const many = [...fresh.values()].filter((row) => place(row) > highest).length
    const link = old.querySelector('.newer')
    if (!link) return
    const news = many > 0 ? `${many}${isCut && many === fresh.size ? '+' : ''} new event${many === 1 ? '' : 's'}` : ''
    link.textContent = news || (gone > 0 ? 'Show the list as it is now' : '')
    link.hidden = link.textContent === ''
  }

  const pathTo = (from, element) => {
    const path = []
    for (let at = element; at !== from; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at))
    return path
  }

  const start = () => {
    source = new EventSource(root.dataset.live)
    source.addEventListener('ready', () => {
      say(true)
      // What happened before the stream began, or while it was interrupted, is not said again.
      if (isLater || root.dataset.soon !== undefined) refresh()
      isLater = true
    })
    source.addEventListener('change', refresh)
    source.onerror = () => say(false)
  }
  const stop = () => {
    source?.close()
    source = undefined
    say(false)
  }

  // A button that is replaced between press and release never hears of its click: the page stands still in between.
  const press = () => {
    isPressed = true
  }
  const release = () => {
    // The click comes behind the release, in the same task.
    setTimeout(() => {
      isPressed = false
      if (isStale && source) refresh()
    })
  }
  const isKey = ({ key }) => key === ' ' || key === 'Enter'

  if (root) {
    addEventListener('pointerdown', ({ button }) => button === 0 && press())
    addEventListener('keydown', (event) => isKey(event) && press())
    addEventListener('keyup', (event) => isKey(event) && release())
    // Of the window alone: a press moves the focus, and what had it says blur too, but that does not bubble.
    for (const end of ['pointerup', 'pointercancel', 'blur', 'pagehide']) addEventListener(end, release)
    // A page in the background asks for nothing.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) stop()
      else if (!source) start()
    })
    addEventListener('pagehide', stop)
    start()
  }
}
