/** Listening to the widget, whenever and however often it appears: every event is heard, and heard once. */
import { type WidgetEvent, widgetEvents } from './events.ts'
import { type Drift, fieldOf, type Page, quietly, succeeds } from './page.ts'

export interface Listener {
  /** Listens to the widget that is there now, if it is not listened to yet. */
  look(): void
  /** Every event of the widget that is there now is listened to. */
  isListening(): boolean
}

/** `hear` gets each event with its data, of which nothing is known. */
export function openListener(page: Page, hear: (event: WidgetEvent, data: unknown) => void): Listener {
  let widget: unknown
  let refused: readonly WidgetEvent[] = widgetEvents
  let last: { event: WidgetEvent; data: unknown; from: unknown } | undefined

  /** A widget that took its snippet's place may have taken over our wishes, and then got them again from us. */
  function isEcho(event: WidgetEvent, data: unknown, from: unknown): boolean {
    const isSame = typeof data === 'object' && data !== null && last?.event === event && last.data === data
    if (isSame && last?.from !== from) return true
    last = { event, data, from }
    return false
  }

  function listenTo(drift: Drift, event: WidgetEvent): void {
    drift.on(event.name, (data) => {
      quietly(() => {
        if (!isEcho(event, data, drift)) hear(event, data)
      })
    })
  }

  return {
    look() {
      const drift = fieldOf(page, 'drift')
      // Drift's own snippet takes wishes before the widget is there, and hands them on.
      if (typeof fieldOf(drift, 'on') !== 'function') return
      if (drift !== widget) refused = widgetEvents
      widget = drift
      const again: WidgetEvent[] = []
      for (let at = 0; at < refused.length; at++) {
        const event = refused[at]!
        if (!succeeds(() => listenTo(drift as Drift, event))) again[again.length] = event
      }
      refused = again
    },
    isListening: () => refused.length === 0 && fieldOf(page, 'drift') === widget,
  }
}
