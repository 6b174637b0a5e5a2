import type { Context, Hono } from 'hono'
import { catalogue } from '../../events/index.ts'
import type { Clock } from '../../lib/clock.ts'
import { newJobId } from '../../operations/jobs.ts'
import { type Mapping, previewRedrive, type RedriveNeeds } from '../../operations/redrive.ts'
import { cancelRedrive, lastRedrive, startRedrive } from '../../operations/redrive-job.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Query } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { type DryRun, type RedrivePage, redrivePage } from '../pages/redrive.ts'
import { allowOldProof, type Web } from '../session.ts'
import { type Filter, filterOf, queryOf } from './query.ts'

/** A look answers while somebody waits for it; the task itself takes the time it needs. */
const lookMsMax = 2_000
const fields = ['type', 'state', 'contact', 'conversation', 'message', 'from', 'to'] as const

interface Needs extends ConsoleNeeds {
  redriveNeeds: RedriveNeeds
}

export function redriveRoutes(app: Hono<Web>, { clock, random, redriveNeeds, storage, wake }: Needs): void {
  const { jobs, audit } = storage
  const show = async (c: Context<Web>, given: Partial<RedrivePage>, status: 200 | 400 | 409 = 200) => {
    const session = c.get('session')
    const filter = filterOf(() => undefined)
    const types = [...catalogue.keys()]
    const task = await lastRedrive(jobs, session.org)
    const common = { session, now: clock.now(), types, filter, mapping: 'today' as const, dryRun: undefined, task }
    return c.html(redrivePage({ ...common, ...given }), status)
  }

  app.get('/console/redrive', async (c) => {
    const { org } = c.get('session')
    const filter = filterOf((name) => c.req.query(name))
    const mapping = mappingOf(c.req.query('mapping'))
    if (c.req.query('look') === undefined) return show(c, { filter, mapping })
    const query = meant(org, filter, clock)
    if ('wrong' in query) return show(c, { filter, mapping, wrong: query.wrong }, 400)
    const from = clock.monotonic()
    let isCut = false
    const goOn = () => {
      isCut = clock.monotonic() - from > lookMsMax
      return !isCut
    }
    const found = await previewRedrive(redriveNeeds, query, { mapping, goOn })
    const dryRun: DryRun = { id: newJobId(random), found, isCut }
    // What arrives after the look is not meant by what follows it.
    const to = filter.to || new Date(query.to!).toISOString().slice(0, 19)
    return show(c, { filter, meant: { ...filter, to }, mapping, dryRun })
  })

  app.post('/console/redrive', async (c) => {
    const form = await formOf(c, [...fields, 'mapping', 'id'])
    const { org, who } = c.get('session')
    const query = meant(
      org,
      filterOf((name) => form[name as (typeof fields)[number]]),
      clock,
    )
    if ('wrong' in query || form.id === '') return show(c, { wrong: 'This form is none of ours.' }, 400)
    const task = { org, id: form.id.slice(0, 100), who, query, mapping: mappingOf(form.mapping) }
    if (await startRedrive({ jobs, audit, clock }, task)) {
      wake()
      return c.redirect('/console/redrive', 303)
    }
    return show(c, { wrong: 'Another redrive of this account is running. Wait for it, or cancel it.' }, 409)
  })

  app.post('/console/redrive/cancel', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    await cancelRedrive({ jobs, audit, clock }, org, who)
    return c.redirect('/console/redrive', 303)
  })
}

/** What failed unless more is asked for, and nothing that arrives from now on. */
function meant(org: Org, filter: Filter, clock: Clock): Query | { wrong: string } {
  const query = queryOf(org, { ...filter, state: filter.state || 'failed' })
  return 'wrong' in query ? query : { to: clock.now() + 1_000, ...query }
}

function mappingOf(asked: string | undefined): Mapping {
  return asked === 'then' ? 'then' : 'today'
}
