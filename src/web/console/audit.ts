/** Audit: who did what to this account and when, with filter and export. */
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { type Act, actOf, record, storedAct } from '../../accounts/audit.ts'
import type { OptionName } from '../../mapping/options.ts'
import type { AuditEntry, AuditFilter } from '../../storage/ports/accounts.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { csvLine } from './csv.ts'
import { labels } from './mapping-fields.ts'
import { privacyTabs } from './privacy-tabs.ts'
import { ranges, timeChoices } from './query.ts'
import { type Html, page } from './ui/layout.ts'
import { button, head, number, postForm, select, when } from './ui/parts.ts'

const step = 100
const most = 5_000
/** The newest of them. */
const exportMax = 50_000

type Group = 'data' | 'settings' | 'sending' | 'sessions' | 'drift'

/** How each act reads, and under which filter it is. */
const verbs: Readonly<Record<Act, readonly [verb: string, group: Group]>> = {
  configured: ['Configured the account', 'settings'],
  connected: ['Connected to Drift', 'settings'],
  reconnected: ['Reconnected to Drift', 'settings'],
  paused: ['Paused sending', 'sending'],
  resumed: ['Resumed sending', 'sending'],
  retried: ['Retried', 'sending'],
  setKey: ['Saved the write key', 'settings'],
  changedPlace: ['Changed where events are sent', 'settings'],
  testedKey: ['Tested a write key', 'settings'],
  confirmedTest: ['Confirmed that the test event arrived', 'settings'],
  addedDestination: ['Added a destination', 'settings'],
  removedDestination: ['Removed a destination', 'settings'],
  renamedDestination: ['Renamed a destination', 'settings'],
  choseEvents: ['Chose which events are sent', 'settings'],
  choseOptions: ['Changed what is sent', 'settings'],
  addedRecipient: ['Added a recipient of alerts', 'settings'],
  confirmedRecipient: ['Confirmed that alerts are wanted', 'settings'],
  removedRecipient: ['Removed a recipient of alerts', 'settings'],
  retiredRecipient: ['Removed an address for alerts that was never confirmed', 'settings'],
  testedAlerts: ['Sent a test alert', 'settings'],
  choseAlerts: ['Chose which alerts are sent', 'settings'],
  erasedPerson: ['Erased a person', 'data'],
  handledRequest: ['Closed a deletion request', 'data'],
  lookedAtData: ['Viewed personal data', 'data'],
  exportedEvents: ['Exported events', 'data'],
  exportedAudit: ['Exported the audit', 'data'],
  startedRedrive: ['Started resending events', 'sending'],
  cancelledJob: ['Cancelled a job', 'sending'],
  redrove: ['Resent events', 'sending'],
  startedEstimate: ['Started an estimate of history', 'sending'],
  estimated: ['Estimated history', 'sending'],
  startedBackfill: ['Started to bring in history', 'sending'],
  backfilled: ['Brought in history', 'sending'],
  startedReconcile: ['Started a comparison with Drift', 'sending'],
  reconciled: ['Compared with Drift', 'sending'],
  startedMissing: ['Started to send what was missing', 'sending'],
  sentMissing: ['Sent what was missing', 'sending'],
  allowedPerson: ['Let history bring in an erased person again', 'data'],
  choseDaily: ['Chose whether to compare with Drift every day', 'settings'],
  rotatedKeys: ['Replaced the encryption keys', 'settings'],
  madeLink: ['Created a sign-in link', 'sessions'],
  signedInByDrift: ['Signed in through Drift', 'sessions'],
  signedInByLink: ['Signed in by a one-time link', 'sessions'],
  signedOut: ['Signed out', 'sessions'],
  signedOutEverywhere: ['Signed out everywhere', 'sessions'],
  disconnected: ['Disconnected', 'drift'],
  disconnectedNoGrant: ['Disconnected; there was no authorization to end at Drift', 'drift'],
  disconnectedUnrevoked: ['Disconnected; Drift did not confirm that the authorization ended', 'drift'],
  driftAsked: ['Said that the account disconnected; sending stops until that is confirmed', 'drift'],
  driftConfirmed: ['Disconnected the account', 'drift'],
  driftDenied: ['Said that the account disconnected, and it had not; sending continues', 'drift'],
  driftSilent: ['Said that the account disconnected, and did not confirm it for a day; sending is paused', 'drift'],
  driftCannotSay: ['Said that the account disconnected, and cannot be asked; sending is paused', 'drift'],
}

const groups: Readonly<Record<Group, string>> = {
  data: 'Personal data and exports',
  settings: 'Connection and settings',
  sending: 'Pause, resume, resend, history',
  sessions: 'Sign-ins',
  drift: 'Disconnecting',
}

function isGroup(text: string | undefined): text is Group {
  return text !== undefined && Object.hasOwn(groups, text)
}

interface AuditPage {
  session: Session
  auditEntries: readonly AuditEntry[]
  group: Group | ''
  range: string
  /** How many are asked for next, when there may be more. */
  more: number | undefined
}

export function auditRoutes(app: Hono<Web>, { storage, clock }: ConsoleNeeds): void {
  const { audit } = storage

  const only = (group: Group | '', range: string): AuditFilter => ({
    ...(group === '' ? {} : { what: actsOf(group).map(storedAct) }),
    ...(range === '' ? {} : { from: clock.now() - ranges[range]!.ms }),
  })
  const groupIn = (text: string | undefined): Group | '' => (isGroup(text) ? text : '')
  const rangeIn = (text: string | undefined): string => (text !== undefined && Object.hasOwn(ranges, text) ? text : '')

  app.get('/console/audit', async (c) => {
    const session = c.get('session')
    const [group, range] = [groupIn(c.req.query('group')), rangeIn(c.req.query('range'))]
    const asked = Number(c.req.query('show') ?? step)
    const limit = Number.isInteger(asked) && asked >= 1 ? Math.min(asked, most) : step
    const auditEntries = await audit.list(session.org, limit + 1, only(group, range))
    const more = auditEntries.length > limit && limit < most ? limit + step : undefined
    return c.html(auditPage({ session, auditEntries: auditEntries.slice(0, limit), group, range, more }))
  })

  app.post('/console/audit/export', allowOldProof, async (c) => {
    const asked = await formOf(c, ['group', 'range'])
    const { org, who } = c.get('session')
    const [group, range] = [groupIn(asked.group), rangeIn(asked.range)]
    if (group !== asked.group || range !== asked.range) return refuse(c, 400, 'form_unusable')
    await record({ audit, clock }, { org, who, act: 'exportedAudit' })
    const auditEntries = await audit.list(org, exportMax, only(group, range))
    c.header('content-type', 'text/csv; charset=utf-8')
    c.header('content-disposition', `attachment; filename="drift-audit-${org}.csv"`)
    const lines = auditEntries.map((auditEntry) =>
      csvLine([new Date(auditEntry.at).toISOString(), auditEntry.who, verbOf(auditEntry), aboutOf(auditEntry)]),
    )
    return c.body([csvLine(['at', 'who', 'what', 'about']), ...lines].join(''))
  })
}

function actsOf(group: Group): Act[] {
  return (Object.keys(verbs) as Act[]).filter((act) => verbs[act][1] === group)
}

function verbOf(auditEntry: AuditEntry): string {
  const act = actOf(auditEntry)
  return act ? verbs[act][0] : auditEntry.what
}

/** Options stand in the store by their names, which are code; here by what the form calls them. */
function aboutOf(auditEntry: AuditEntry): string {
  const { about = '' } = auditEntry
  const [, where, named, also = ''] = /^(destination \d+): (.*?)(, also what waits)?$/.exec(about) ?? []
  if (actOf(auditEntry) !== 'choseOptions' || named === undefined) return about
  const said = named.split(', ').map((name) => (isOptionName(name) ? labels[name] : name))
  const all = named === 'no options' ? 'every option is off' : said.join('; ')
  return `${where}: ${all}${also === '' ? '' : '; also for queued events'}`
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(labels, name)
}

export function auditPage({ session, auditEntries, group, range, more }: AuditPage): Html {
  const filter = { ...(group === '' ? {} : { group }), ...(range === '' ? {} : { range }) }
  const next = more === undefined ? '' : `/console/audit?${new URLSearchParams({ ...filter, show: String(more) })}`
  const hidden = html`<input type="hidden" name="group" value="${group}"><input type="hidden" name="range" value="${range}">`
  return page({
    title: 'Audit',
    section: 'privacy',
    session,
    body: html`${head('Audit', 'Who did what to this account, and when. Nothing here can be changed or deleted.')}
    ${privacyTabs('audit')}
    <div class="stack">
      <div class="card"><div class="cardhead"><form method="get" action="/console/audit" class="find" aria-label="Filter the audit">
        ${select('group', 'What', [['', 'Everything'], ...Object.entries(groups)], group)}
        ${select('range', 'Time', timeChoices, range)}
        ${button('Filter')}</form>
        ${postForm('/console/audit/export', session.csrf, html`${hidden}<button class="quiet">Export CSV</button>`)}</div></div>
      <section class="card sheet" aria-label="Entries">${
        auditEntries.length === 0
          ? html`<p class="empty"><strong>No entries</strong>${group || range ? 'Nothing like this was done in that time.' : 'What people do here is written down here.'}</p>`
          : html`<table class="cards"><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">About</th></tr></thead>
            <tbody>${auditEntries.map(row)}</tbody></table>`
      }</section>
      ${next === '' ? '' : html`<nav class="pager" aria-label="Pages"><span class="small faint">${number(auditEntries.length)} shown</span><a class="button" href="${next}">Show more</a></nav>`}
    </div>`,
  })
}

function row(auditEntry: AuditEntry): Html {
  const { at, who } = auditEntry
  const about = aboutOf(auditEntry)
  const [, digest, rest] = /^contact ([0-9a-f]{8})[0-9a-f]*(.*)$/.exec(about) ?? []
  const said = about.startsWith('drift-')
    ? html`<a href="/console/events/${about}" class="mono">${about}</a>`
    : digest
      ? html`Contact known as <code title="The same person has the same code each time">${digest}</code>${rest}`
      : about || html`<span class="faint" aria-hidden="true">–</span>`
  return html`<tr>
    <td data-label="When">${when(at)}</td>
    <td data-label="Who">${who}</td>
    <td data-label="What"><strong>${verbOf(auditEntry)}</strong></td>
    <td data-label="About" class="about">${said}</td>
  </tr>`
}
