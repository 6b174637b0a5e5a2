// A chat widget that keeps to what Drift documents of its own: the queue of its snippet, drift.on and off, ready, drift.api.
// What a visitor would do in a chat is done by its buttons, or by drift.simulate(event, data), which is not Drift's.
;(() => {
  const queue = window.driftt || window.drift || []
  const handlers = []
  let isReady = false

  const methods = {
    on(event, handler) {
      handlers.push({ event, handler })
      if (event === 'ready' && isReady) handler(widget.api, readyPayload)
    },
    off(event, handler) {
      for (let at = handlers.length - 1; at >= 0; at--) {
        const one = handlers[at]
        if (one.event === event && (handler === undefined || one.handler === handler)) handlers.splice(at, 1)
      }
    },
    load() {},
    simulate(event, ...data) {
      for (const one of handlers.filter((each) => each.event === event)) {
        try {
          one.handler(...data)
        } catch (error) {
          console.error('a handler threw', error)
        }
      }
    },
  }
  for (const name of ['identify', 'config', 'track', 'reset', 'debug', 'show', 'ping', 'page', 'hide'])
    methods[name] = () => {}
  const widgetState = { sidebarOpen: false, chatOpen: false, widgetVisible: true, isOnline: true, teamAvailability: {} }
  // Documented in both places.
  const readyPayload = { ...widgetState, data: widgetState }

  // Whether the widget takes its snippet's place or moves into it is not documented: the embed id chooses.
  const moves = !document.currentScript.src.includes('/replacing.js')
  const calls = queue.splice(0)
  const widget = Object.assign(moves ? queue : {}, methods, {
    init: true,
    api: {
      openChat: open,
      hideChat: close,
      widget: { show: () => {}, hide: () => {} },
      setUserAttributes() {},
      startInteraction() {},
    },
  })
  window.drift = window.driftt = widget
  for (const [name, ...args] of calls) widget[name]?.(...args)
  if (document.body) show()
  else document.addEventListener('DOMContentLoaded', show)
  isReady = true
  widget.simulate('ready', widget.api, readyPayload)

  /** The visitor who chats here: the contact of Drift's own samples, unless the page says otherwise. */
  function contact() {
    return Number(document.documentElement.dataset.contact || 21760538950)
  }

  function samples() {
    const playbook = { conversationId: 3969707702, playbookId: 2750462, interactionId: 5201, campaignId: 1870 }
    const bot = { messageId: 'bot-1', createdAt: Date.now(), authorId: 2322756 }
    const campaign = { campaignId: 1871, data: { widgetVisible: true, isOnline: true } }
    const started = {
      conversationId: 3969707702,
      inboxId: 642330,
      endUserId: contact(),
      endUserEmail: 'visitor@example.com',
    }
    return {
      'A playbook': [
        ['A playbook greets', 'conversation:playbookFired', { ...bot, ...playbook }],
        ['Click the greeting', 'conversation:playbookClicked', playbook],
        ['Dismiss the greeting', 'conversation:playbookDismissed', { ...playbook, messageId: 'bot-1' }],
      ],
      'A conversation': [
        ['Answer for the first time', 'conversation:firstInteraction', { ...bot, ...playbook, authorId: contact() }],
        ['Start a conversation', 'startConversation', started],
        ['Open a conversation', 'conversation:selected', playbook],
        ['Ask for a meeting', 'scheduling:requestMeeting', { teamMember: { id: 2322756, name: 'Robin Example' } }],
      ],
      'A campaign': [
        ['A campaign opens', 'campaign:open', campaign],
        ['Click it', 'campaign:click', campaign],
        ['Submit its form', 'campaign:submit', campaign],
        ['Dismiss it', 'campaign:dismiss', campaign],
        ['Close its slider', 'sliderMessage:close', { ...playbook, botMessage: true }],
      ],
    }
  }

  function element(tag, text) {
    const made = document.createElement(tag)
    made.textContent = text
    return made
  }

  function show() {
    const root = document.createElement('failed')
    root.id = 'drift-widget'
    root.setAttribute('aria-label', 'Chat')
    const toggle = element('button', 'Chat')
    toggle.onclick = () => (root.classList.contains('open') ? close() : open())
    const panel = document.createElement('div')
    for (const [group, actions] of Object.entries(samples())) {
      panel.append(element('h2', group))
      for (const [at, [label, event]] of actions.entries()) {
        const button = element('button', label)
        button.append(element('code', event))
        // Made again for each press: a contact and a time may be others by then.
        button.onclick = () => widget.simulate(event, samples()[group][at][2])
        panel.append(button)
      }
    }
    root.append(panel, toggle)
    document.body.append(root)
  }

  function open() {
    document.getElementById('drift-widget')?.classList.add('open')
  }

  function close() {
    document.getElementById('drift-widget')?.classList.remove('open')
  }
})()
