/** Listening to the widget, whenever and however often it appears: every event is heard, and heard once. */
import { type WidgetEvent, widgetEvents } from './events.ts'
import { type Drift, each, fieldOf, type Moment, type Page, quietly, succeeds } from './page.ts'

export interface Listener {
  /** Listens to the widget that is there now, if it is not listened to yet. */
  look(): void
  /** Every event of the widget that is there now is listened to. */
  isListening(): boolean
  /** These are listened to, from the next look on; what is not among them is not heard. */
  want(events: readonly WidgetEvent[]): void
  /** The inline starter listens to the twelve events of this widget, and calls `told` with each. */
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
  let wanted: readonly WidgetEvent[] = []
  /** The names of those that this widget took. */
  let listened: Record<string, boolean> = {}
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
    const heard = tick[name] || { most: 0, by: new Map<unknown, number>() }
    tick[name] = heard
    const times = (heard.by.get(from) || 0) + 1
    heard.by.set(from, times)
    if (times <= heard.most) return true
    heard.most = times
    return false
  }

  function told(name: unknown, data: unknown, from: unknown, moment?: Moment): void {
    const event = named(wanted, name)
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
        if (args[0] === undefined) listened = {}
        else delete listened[String(args[0])]
        look()
      }
      return result
    }
  }

  function look(): void {
    const drift = fieldOf(page, 'drift') as Drift
    // Drift's own snippet takes wishes before the widget is there, and hands them on.
    if (typeof fieldOf(drift, 'on') !== 'function') return
    if (drift !== widget) listened = {}
    widget = drift
    quietly(() => watchOff(drift))
    const from = {}
    each(wanted, ({ name }) => {
      const hears = (data: unknown) => void quietly(() => told(name, data, from))
      if (listened[name] !== true) listened[name] = succeeds(() => drift.on(name, hears))
    })
  }

  return {
    look,
    told,
    want(events) {
      wanted = events
    },
    adopt(adopted) {
      widget = adopted
      each(widgetEvents, ({ name }) => {
        listened[name] = true
      })
    },
    isListening: () => fieldOf(page, 'drift') === widget && !each(wanted, ({ name }) => listened[name] !== true),
  }
}

function named(events: readonly WidgetEvent[], name: unknown): WidgetEvent | undefined {
  let found: WidgetEvent | undefined
  each(events, (event) => {
    if (event.name === name) found = event
  })
  return found
}
