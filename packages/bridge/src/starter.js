// biome-ignore-all lint: bytes count here, and the minifier does not find all of them
// biome-ignore-all format: the same
// The inline starter as a page holds it: it keeps the options, takes down what the widget says, and has the file loaded
// without holding back the page's load event, which a script would do, and a preload does not. The file takes over what is
// kept here: see starter.ts. SRC, MORE and OPTIONS are put in where it is printed. At most 700 bytes without them.
;((d, src, more, o) => {
  const w = window
  const b = (w.driftSegmentBridge = {
    o,
    g: w.driftSegmentBridge,
    q: [],
    h(...x) {
      b.q.push([x, +new Date(), d.URL, d.title])
    },
    consent: (c) => (b.c = c),
  })
  const put = (kind, own) => d.head.append(Object.assign(d.createElement(kind), more, own))
  const load = () => (src = src && put('script', { src, b }))
  new MutationObserver(
    (_, __, t = w.drift) =>
      t &&
      t.on &&
      t != b.w &&
      '0firstInteraction startConversation 0selected scheduling:requestMeeting 01Fired 01Clicked 01Dismissed 2open 2dismiss 2click 2submit sliderMessage:close'
        .replace(/\d/g, (n) => ['conversation:', 'playbook', 'campaign:'][n])
        .replace(/\S+/g, (e) => (b.w = t).on(e, (x) => b.h(e, x, t))),
  ).observe(d, { childList: 1, subtree: 1 })
  put('link', { rel: 'preload', as: 'script', href: src, onload: load })
  addEventListener('load', load)
})(document, SRC, MORE, OPTIONS)
