/** Resend: choose events, see what would happen and what would fail again, confirm, watch, cancel; and what was resent before. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { storedAct } from '../../accounts/audit.ts'
import { deletionType } from '../../drift/envelope.ts'
import { type JobShown, newJobId } from '../../operations/jobs.ts'
import { countRedrivable, failed, type Mapping, type MoveNeeds, previewRedrive } from '../../operations/redrive.ts'
import { cancelRedrive, lastRedrive, startRedrive } from '../../operations/redrive-job.ts'
import type { AuditEntry } from '../../storage/ports/accounts.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Query } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { type Chosen, chosenIn, endpointIn, isOfSeveral } from './at-destination.ts'
import { atNow, type Filter, filterNames, filterOf, queryOf, timeChoices, typeChoices } from './query.ts'
import { type Preview, previewed, unconfirmedMax } from './resend-preview.ts'
import { pastResends, progress } from './resend-progress.ts'
import { adviceAt } from './ui/advice-at.ts'
import { type As, asOf } from './ui/as-choice.ts'
import { type Html, page } from './ui/layout.ts'
import { hasMappingChoice, mappingChoice, mappingOf } from './ui/mapping-choice.ts'
import { head, input, notice, number, select } from './ui/parts.ts'
import { words } from './ui/vocabulary.ts'

/** A preview answers while a person waits for it; the resend itself takes the time it needs. */
const previewMsMax = 2_000
const historyMax = 20

interface Needs extends ConsoleNeeds {
  redriveNeeds: MoveNeeds
}

export interface ResendPage {
  session: Session
  now: number
  filter: Filter
  mapping: Mapping
  as: As
  chosen: Chosen
  /** Events may go by another mapping than today's. */
  isChoice: boolean
  preview?: Preview
  task: JobShown | undefined
  history: readonly AuditEntry[]
  wrong?: string
}

export function resendRoutes(app: Hono<Web>, needs: Needs): void {
  const { clock, random, storage, redriveNeeds, accounts, wake } = needs
  const { audit, jobs } = storage

  async function show(c: Context<Web>, given: Partial<ResendPage>, status: 200 | 400 | 409 | 422 = 200) {
    const session = c.get('session')
    const history = await audit.list(session.org, historyMax, { what: [storedAct('redrove')] })
    const { filter = filterOf(() => undefined) } = given
    const install = accounts.get(session.org)
    const chosen = chosenIn(install, session.org, filter.destination)
    const isChoice = hasMappingChoice(install)
    const common = { session, now: clock.now(), filter, mapping: 'today', as: 'repeat', chosen, isChoice } as const
    const task = await lastRedrive(jobs, session.org)
    return c.html(resendPage({ ...common, task, history, ...given }), status)
  }

  /** What failed unless more is asked for, and nothing that arrives from now on. */
  async function meantBy(org: Org, filter: Filter): Promise<(Query & { org: Org; to: number }) | { wrong: string }> {
    const at = await atNow(needs, org)
    const query = queryOf(org, filter, at)
    if ('wrong' in query) return query
    const { states = failed, reason } = query
    // People act on a request for deletion; it is never sent.
    return { to: at.now + 1_000, ...query, states, ...(reason === undefined ? { notReason: deletionType } : {}) }
  }

  async function previewOf(
    query: Query & { org: Org; to: number },
    filter: Filter,
    mapping: Mapping,
  ): Promise<Preview> {
    const begun = clock.monotonic()
    let isCut = false
    const goOn = () => {
      isCut = clock.monotonic() - begun > previewMsMax
      return !isCut
    }
    const { total, isCut: isTotalCut } = await countRedrivable(redriveNeeds, query)
    const found = await previewRedrive(redriveNeeds, query, { mapping, goOn })
    const time = (at: number | undefined) => (at === undefined ? '' : new Date(at).toISOString().slice(0, 19))
    const meant = {
      ...filter,
      range: '',
      from: filter.range ? time(query.from) : filter.from,
      to: filter.to || time(query.to),
    }
    return { id: newJobId(random), total, isTotalCut, found, isCut: isCut && found.found < total, meant }
  }

  app.get('/console/resend', async (c) => {
    const { org } = c.get('session')
    const filter = filterOf((name) => c.req.query(name))
    const mapping = mappingOf(c.req.query('mapping'))
    if (c.req.query('preview') === undefined) return show(c, { filter, mapping })
    const query = await meantBy(org, filter)
    if ('wrong' in query) return show(c, { filter, mapping, wrong: query.wrong }, 400)
    return show(c, { filter, mapping, preview: await previewOf(query, filter, mapping) })
  })

  app.post('/console/resend', async (c) => {
    const form = await formOf(c, [...filterNames, 'mapping', 'as', 'id', 'confirmed'])
    const { org, who } = c.get('session')
    const filter = filterOf((name) => form[name as keyof Filter])
    const [mapping, as] = [mappingOf(form.mapping), asOf(form.as)]
    const query = await meantBy(org, filter)
    if ('wrong' in query || form.id === '')
      return show(c, { filter, wrong: 'Your page was out of date. Preview again, then resend.' }, 400)
    const { total } = await countRedrivable(redriveNeeds, query)
    if (total > unconfirmedMax && form.confirmed === '') {
      const wrong = `Tick the box to confirm that ${number(total)} events are meant.`
      return show(c, { filter, mapping, as, wrong, preview: await previewOf(query, filter, mapping) }, 422)
    }
    const asNew = as === 'new' ? { asNew: true } : {}
    const wanted = { org, id: form.id.slice(0, 100), who, query, total, mapping, ...asNew }
    if (await startRedrive({ jobs, audit, clock }, wanted)) {
      wake()
      return c.redirect('/console/resend', 303)
    }
    return show(c, { filter, wrong: 'Another resend of this account is running. Wait for it, or cancel it.' }, 409)
  })

  app.post('/console/resend/cancel', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    await cancelRedrive({ jobs, audit, clock }, org, who)
    return c.redirect('/console/resend', 303)
  })
}

function resendPage(given: ResendPage): Html {
  const { session, task, wrong, preview, now, history } = given
  return page({
    title: 'Resend events',
    section: 'resend',
    session,
    uses: ['live.js'],
    body: html`<div data-live="/console/live" data-soon>
      ${head('Resend events', 'Send events again that failed, were not recognized, or were delivered. Queued and blocked events are sent without it.')}
      <div class="stack">
        <div id="task" data-part class="stack">${task ? progress(task, given) : ''}</div>
        ${wrong ? notice('warn', 'Nothing was resent', wrong) : ''}
        ${chooser(given)}
        ${preview ? previewed(preview, given) : ''}
        ${pastResends(history, now)}
      </div>
    </div>`,
  })
}

const choices = [
  ['', `${words.failed.label} and ${words.notRecognized.label.toLowerCase()}`],
  ['failed', words.failed.label],
  ['not-recognized', words.notRecognized.label],
  ['delivered', `${words.delivered.label} (sends them a second time)`],
  ['ignored', `${words.ignored.label} (left out by the options, or never given to the destination)`],
] as const

function destinationChoices({ all }: Chosen): [value: string, label: string][] {
  return [['', 'Each of them'], ...all.map(({ number, name }): [string, string] => [String(number), name])]
}

function chooser({ filter, mapping, chosen, isChoice }: ResendPage): Html {
  const isCustom = filter.from !== '' || filter.to !== ''
  return html`<form method="get" action="/console/resend" class="card stack" aria-label="Events to resend">
    <div class="find wide">
      ${select('state', 'Events', choices, filter.state)}
      ${select('type', 'Type', typeChoices, filter.type)}
      ${select('range', 'Time', timeChoices, filter.range)}
      ${isOfSeveral(chosen) ? select('destination', 'Destination', destinationChoices(chosen), filter.destination) : ''}
      ${input('q', 'Contact, conversation or message', { value: filter.q })}
      ${
        filter.reason === ''
          ? ''
          : select(
              'reason',
              'Reason',
              [
                ['', 'Any reason'],
                [filter.reason, adviceAt(filter.reason, endpointIn(filter, chosen)).short],
              ],
              filter.reason,
            )
      }
    </div>
    <details class="dates"${isCustom ? html` open` : ''}><summary>From and to</summary><div class="find">
      ${input('from', 'From (UTC)', { value: filter.from, type: 'datetime-local' })}
      ${input('to', 'Before (UTC)', { value: filter.to, type: 'datetime-local' })}</div></details>
    ${mappingChoice(mapping, isChoice)}
    <div class="row">${html`<button class="primary" name="preview" value="1">Preview</button>`}<span class="hint">Changes nothing.</span></div>
  </form>`
}
