/** `GET /connect` and the way back from Drift: an install, or the proof of an admin who is installed already. */
import type { Context, Hono } from 'hono'
import { record } from '../../accounts/audit.ts'
import type { From, States } from '../../accounts/connect-begin.ts'
import { driftAdmin, type Finish, type Unfinished } from '../../accounts/connect-finish.ts'
import type { Config } from '../../config.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Audit } from '../../storage/ports/accounts.ts'
import { type Site, secretAddress } from '../http/headers.ts'
import type { ReturnPath } from '../return-path.ts'
import { type Sessions, secretOf, type Web } from '../session.ts'
import { cookieOf } from '../session-cookie.ts'
import { type ConnectFailure, connectFailurePage, noOauthPage } from './failures.ts'

interface Needs {
  config: Pick<Config, 'oauth' | 'drift'>
  site: Site
  states: States
  finish: Finish | undefined
  sessions: Sessions
  returnPath: ReturnPath
  audit: Audit
  clock: Clock
  random: Random
  log: Log
}

/** As long as a state is good: the cookie that binds it to this browser. */
const flowSeconds = 600
/**
 * Installs that may be talking to Drift at once. Anyone can come back with a code of their own making, and each such code
 * sends our client secret to Drift; the others are asked to come again.
 */
const exchangesMax = 4
const retryAfterSeconds = '3'

export function connectRoutes(app: Hono<Web>, needs: Needs): void {
  const { config, site, states, finish, sessions, returnPath, audit, clock, random, log } = needs
  const { oauth } = config
  if (!oauth || !finish) {
    for (const path of ['/connect', '/connect/callback']) app.get(path, (c) => c.html(noOauthPage(), 404))
    return
  }
  const flow = cookieOf(site, 'flow')
  /** Those under way, by their states' nonces. */
  const exchanging = new Set<string>()

  app.get('/connect', (c) => {
    const from = c.req.query('from') === 'console' ? 'console' : 'tile'
    const browser = secretOf(c, flow, random, flowSeconds)
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: oauth.clientId,
      redirect_uri: `${site.publicUrl()}/connect/callback`,
      state: states.begin(browser, from),
    })
    return c.redirect(`${config.drift.authorizeUrl}?${query}`, 302)
  })

  app.get('/connect/callback', secretAddress, async (c) => {
    const startedAt = clock.monotonic()
    const outcome = await comeBack(c)
    const failed = outcome.is === 'failed' ? outcome : undefined
    log.info('connect', {
      outcome: failed?.why ?? 'installed',
      ...(failed?.reason === undefined ? {} : { reason: failed.reason }),
      ...(outcome.is === 'installed' ? { org: outcome.org, isNew: outcome.isNew } : {}),
      durationMs: Math.round(clock.monotonic() - startedAt),
    })
    if (failed?.why === 'busy') c.header('retry-after', retryAfterSeconds)
    if (failed) {
      // Back to the address that Drift knows: a browser that came by another name for it has its cookie there.
      const page = connectFailurePage(failed.why, `${site.publicUrl()}/connect`, await sessions.find(c))
      return c.html(page, statusOf(failed.why))
    }
    const { org, from } = outcome as Extract<Outcome, { is: 'installed' }>
    const { who } = await sessions.begin(c, org, driftAdmin)
    await record({ audit, clock }, { org, who, act: 'signedInByDrift' })
    return c.redirect(from === 'console' ? returnPath.take(c) : '/connect/write-key', 303)
  })

  type Outcome =
    | { is: 'installed'; org: string; isNew: boolean; from: From }
    | { is: 'failed'; why: ConnectFailure; reason?: string }

  async function comeBack(c: Context): Promise<Outcome> {
    const failed = (why: ConnectFailure, reason?: string): Outcome => ({
      is: 'failed',
      why,
      ...(reason === undefined ? {} : { reason }),
    })
    const back = judgeCallback(new URL(c.req.url).searchParams, c)
    if ('why' in back) return failed(back.why)
    const begun = states.judge(back.state, flow.read(c) ?? '')
    if (begun.is !== 'valid') return failed(begun.is)
    if (exchanging.has(begun.nonce)) return failed('used')
    // The state is not used up: the same address works when there is room.
    if (exchanging.size >= exchangesMax) return failed('busy')
    exchanging.add(begun.nonce)
    try {
      if (!(await states.use(begun))) return failed('used')
      const finished = await finish!(back.code)
      if (finished.is === 'unfinished') return failed(finished.why, finished.reason)
      return { ...finished, from: begun.from }
    } finally {
      exchanging.delete(begun.nonce)
    }
  }
}

/** What came back, as far as it can be judged without a request; `why` the flow cannot go on. */
export function judgeCallback(
  query: URLSearchParams,
  { req }: Pick<Context, 'req'>,
): { code: string; state: string } | { why: ConnectFailure } {
  const isLook = req.header('sec-purpose') ?? req.header('purpose') ?? ''
  const destination = req.header('sec-fetch-dest') ?? 'document'
  if (isLook !== '' || destination !== 'document') return { why: 'unasked' }
  const [codes, states] = [query.getAll('code'), query.getAll('state')]
  if (query.has('error')) return { why: 'denied' }
  if (codes.length !== 1 || states.length > 1) return { why: codes.length === 0 ? 'incomplete' : 'unusable' }
  // Drift's documentation shows a second question mark where the state begins.
  const [code = '', state, ...more] = states.length === 0 ? codes[0]!.split('?state=') : [codes[0]!, states[0]!]
  if (more.length > 0 || !/^[\x21-\x7e]{1,2048}$/.test(code)) return { why: 'unusable' }
  return state ? { code, state } : { why: 'unsolicited' }
}

/** What Drift did wrong is not the browser's fault. */
function statusOf(why: ConnectFailure): 400 | 403 | 502 | 503 {
  if (why === 'busy') return 503
  if (['not_allowed', 'not_ended', 'not_allowed_any_more'].includes(why)) return 403
  const drifts: readonly ConnectFailure[] = [
    'client',
    'grant',
    'account',
    'stranger',
    'unavailable',
  ] satisfies Unfinished[]
  return drifts.includes(why) ? 502 : 400
}
