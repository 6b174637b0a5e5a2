// What the tests of the console ask a page that is open in the browser. Evaluated there, and never served.
globalThis.inPage = {
  /** What is wider than its place, as the page is drawn in this font. */
  cutOff(font) {
    document.body.style.fontFamily = font
    const found = []
    const { clientWidth, scrollWidth } = document.documentElement
    if (scrollWidth > clientWidth) found.push('the page')
    const isForReaders = (one) =>
      one !== null && (getComputedStyle(one).clipPath !== 'none' || isForReaders(one.parentElement))
    for (const one of document.querySelectorAll('main *')) {
      if (one.closest('.scroll, .uplot, svg, [popover]') || !one.checkVisibility() || isForReaders(one)) continue
      const isOwn = ['INPUT', 'SELECT', 'TEXTAREA', 'SUMMARY'].includes(one.tagName)
      const hides = getComputedStyle(one).overflowX !== 'visible' && !isOwn
      const name = `${one.tagName}.${one.className}`
      if (hides && one.scrollWidth > one.clientWidth + 1) found.push(name)
      if (one.getBoundingClientRect().right > clientWidth + 1) found.push(`beyond the right edge: ${name}`)
    }
    document.body.style.fontFamily = ''
    return found
  },

  shownThoughHidden() {
    const all = [...document.querySelectorAll('[hidden]')]
    return all.filter((one) => one.getClientRects().length > 0).map((one) => one.outerHTML)
  },

  /** The page's own text: without what it gives to copy for developers, what an event says, and what is for operators. */
  ownText() {
    for (const one of document.querySelectorAll('pre, time, details:not([open])')) one.remove()
    return document.body.innerText
  },

  /** Numbers what can be reached by Tab: of radio buttons the chosen one stands for all. */
  numberControls() {
    const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')
    const isReached = (one) =>
      one.checkVisibility() && !one.disabled && one.type !== 'hidden' && (one.type !== 'radio' || one.checked)
    const reached = [...all].filter(isReached)
    for (const [at, one] of reached.entries()) one.dataset.control = String(at)
    return reached.map((one) => `${one.tagName} ${one.textContent.trim() || one.name}`)
  },

  /** Which of them has the focus, and whether that can be seen. */
  focused() {
    const one = document.activeElement
    if (one.dataset.control === undefined) return undefined
    const { outlineStyle, outlineWidth } = getComputedStyle(one)
    return { control: Number(one.dataset.control), isSeen: outlineStyle !== 'none' && outlineWidth !== '0px' }
  },

  async faults() {
    const { violations } = await axe.run()
    return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  },
}
