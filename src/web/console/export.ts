/** What an admin takes along of a list of events: what is known of them without opening a payload, so nothing personal. */
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { stream } from 'hono/streaming'
import { record } from '../../accounts/audit.ts'
import { isOfHistory } from '../../operations/history/keys.ts'
import { findAll } from '../../operations/inspect.ts'
import type { Shown } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Web } from '../session.ts'
import { type Chosen, chosenIn } from './at-destination.ts'
import { csvLine } from './csv.ts'
import { atNow, type Filter, filterNames, filterOf, queryOf } from './query.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { Html } from './ui/layout.ts'
import { number } from './ui/parts.ts'
import { wordOf, words } from './ui/vocabulary.ts'

/** The newest of them; a file of so many lines is about 20 MB. */
const exportMax = 100_000

const formats = ['csv', 'json'] as const
type Format = (typeof formats)[number]

export function exportRoute(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, clock, closing } = needs
  const { lookup, audit } = storage

  app.post('/console/events/export', allowOldProof, async (c) => {
    const fields = await formOf(c, ['format', ...filterNames])
    const { org, who } = c.get('session')
    const format = formats.find((one) => one === fields.format)
    const filter = filterOf((name) => fields[name as keyof Filter])
    const query = queryOf(org, filter, await atNow(needs, org))
    const chosen = chosenIn(accounts.get(org), org, filter.destination)
    if (!format || 'wrong' in query) return refuse(c, 400, 'form_unusable')
    await record({ audit, clock }, { org, who, act: 'exportedEvents', about: format.toUpperCase() })
    c.header('content-type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json')
    c.header('content-disposition', `attachment; filename="drift-events-${org}.${format}"`)
    return stream(c, async (out) => {
      let isGone = false
      out.onAbort(() => {
        isGone = true
      })
      let many = 0
      await out.write(begin[format])
      for await (const page of findAll(lookup, query)) {
        if (isGone || closing.aborted) return
        const some = page.slice(0, exportMax - many)
        await out.write(some.map((shown, at) => line[format](rowOf(shown, chosen), many + at === 0)).join(''))
        many += some.length
        if (many >= exportMax) break
      }
      await out.write(end[format])
    })
  })
}

/** `filter` is the one of the list that the buttons stand at. */
export function exportForm(csrf: string, filter: Filter): Html {
  const hidden = filterNames.map((name) => html`<input type="hidden" name="${name}" value="${filter[name]}">`)
  return html`<form method="post" action="/console/events/export" class="row"><input type="hidden" name="csrf" value="${csrf}">${hidden}
    <button class="quiet" name="format" value="csv">Export CSV</button><button class="quiet" name="format" value="json">Export JSON</button>
    <span class="small faint">Without payloads, the newest ${number(exportMax)}.</span></form>`
}

function rowOf(shown: Shown, chosen: Chosen) {
  const { type, messageId, contact, conversation, receivedAt, settledAt, state, reason } = shown
  const time = (at: number | undefined) => (at === undefined ? '' : new Date(at).toISOString())
  const isDelivered = state === 'delivered'
  return {
    received_at: time(receivedAt),
    type,
    state: words[wordOf(shown)].label,
    reason: reason ?? '',
    reason_text: reason === undefined ? '' : adviceAt(reason, chosen.shown.endpoint).happened,
    contact: contact ?? '',
    conversation: conversation ?? '',
    message_id: messageId,
    delivered_at: isDelivered ? time(settledAt) : '',
    destination: chosen.shown.name,
    origin: isOfHistory(shown) ? 'history' : 'webhook',
  }
}

type Row = ReturnType<typeof rowOf>

const columns: readonly (keyof Row)[] = [
  'received_at',
  'type',
  'state',
  'reason',
  'reason_text',
  'contact',
  'conversation',
  'message_id',
  'delivered_at',
  'destination',
  'origin',
]

const begin: Readonly<Record<Format, string>> = { csv: csvLine(columns), json: '[' }
const end: Readonly<Record<Format, string>> = { csv: '', json: '\n]\n' }
const line: Readonly<Record<Format, (row: Row, isFirst: boolean) => string>> = {
  csv: (row) => csvLine(columns.map((name) => row[name])),
  json: (row, isFirst) => `${isFirst ? '' : ','}\n${JSON.stringify(row)}`,
}
