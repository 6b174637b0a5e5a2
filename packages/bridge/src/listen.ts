/** Listening to the widget, whenever and however often it appears: every event is heard, and heard once. */
import { type WidgetEvent, widgetEvents } from './events.ts'
import { type Drift, fieldOf, type Moment, type Page, quietly, succeeds } from './page.ts'

export interface Listener {
  /** Listens to the widget that is there now, if it is not listened to yet. */
  look(): void
  /** Every event of the widget that is there now is listened to. */
  isListening(): boolean
  /** The inline starter listens to the twelve of this widget, and tells `told`. */
  adopt(widget: unknown): void
  /** One of those who listen says that the widget fired; at which moment, if that is past. */
  told(name: unknown, data: unknown, from: unknown, moment?: Moment): void
}

/** `hear` gets each event with its data, of which nothing is known. */
export function openListener(
  page: Page,
  hear: (event: WidgetEvent, data: unknown, moment: Moment | undefined) => void,
): Listener {
  let widget: unknown
  let refused: readonly WidgetEvent[] = widgetEvents
  let off: unknown
  let recalledAt = 0
  let tick: Record<string, { most: number; by: Map<unknown, number> }> | undefined

  /**
   * A widget that took its snippet's place may have taken over our wishes, and then got them again from us: each tells of
   * one firing, in one turn of the event loop. So an event happened as often as the busiest of them says.
   */
  function isEcho(name: string, from: unknown): boolean {
    if (!tick) {
      tick = Object.create(null) as NonNullable<typeof tick>
      quietly(() => page.setTimeout(() => (tick = undefined), 0))
    }
    const heard = tick[name] ?? { most: 0, by: new Map<unknown, number>() }
    tick[name] = heard
    const times = (heard.by.get(from) ?? 0) + 1
    heard.by.set(from, times)
    if (times <= heard.most) return true
    heard.most = times
    return false
  }

  function told(name: unknown, data: unknown, from: unknown, moment?: Moment): void {
    const event = eventNamed(name)
    // Of what is past, a few milliseconds are taken for one turn.
    if (moment && Math.abs(moment.at - recalledAt) > 5) tick = undefined
    if (moment) recalledAt = moment.at
    if (event && !isEcho(event.name, from)) hear(event, data, moment)
  }

  /** `drift.off` of an event without a handler takes ours away too. */
  function watchOff(drift: Drift): void {
    const theirs = fieldOf(drift, 'off')
    if (typeof theirs !== 'function' || theirs === off) return
    off = drift.off = (...args: unknown[]) => {
      const result = theirs.apply(drift, args)
      if (args[1] === undefined && drift === widget) {
        const event = eventNamed(args[0])
        refused = event ? [...refused, event] : widgetEvents
        look()
      }
      return result
    }
  }

  function look(): void {
    const drift = fieldOf(page, 'drift') as Drift
    // Drift's own snippet takes wishes before the widget is there, and hands them on.
    if (typeof fieldOf(drift, 'on') !== 'function') return
    if (drift !== widget) refused = widgetEvents
    widget = drift
    quietly(() => watchOff(drift))
    const again: WidgetEvent[] = []
    const from = {}
    for (let at = 0; at < refused.length; at++) {
      const event = refused[at]!
      const hears = (data: unknown) => quietly(() => told(event.name, data, from)) as undefined
      if (!succeeds(() => drift.on(event.name, hears))) again[again.length] = event
    }
    refused = again
  }

  return {
    look,
    told,
    adopt(adopted) {
      widget = adopted
      refused = []
    },
    isListening: () => refused.length === 0 && fieldOf(page, 'drift') === widget,
  }
}

function eventNamed(name: unknown): WidgetEvent | undefined {
  for (let at = 0; at < widgetEvents.length; at++) if (widgetEvents[at]!.name === name) return widgetEvents[at]
  return undefined
}
