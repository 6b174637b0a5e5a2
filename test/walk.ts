/** The way of an admin's browser through an install, step by step, for tests that leave it at any step. */
import { after, before } from 'node:test'
import { openHttpClient } from '../src/lib/request.ts'
import { openVisitor, type Seen, type Visitor } from '../src/sim/visitor.ts'
import { org, type Rig } from './rig.ts'

export interface Walk extends Visitor {
  /** To Drift, where the account is chosen and the app allowed: the address that Drift sends the browser back to. */
  allow(orgId: number, from?: 'console'): Promise<string>
  /** The same, and back: the page for the write key, or what stands in its place. */
  connect(orgId: number, from?: 'console'): Promise<Seen>
  /** An address of the service. */
  at(path: string): string
  close(): Promise<void>
}

export function openWalk(rig: Pick<Rig, 'service' | 'sims'>): Walk {
  const httpClient = openHttpClient()
  const visitor = openVisitor(httpClient.send)
  const at = (path: string) => rig.service.url + path
  const walk: Walk = {
    ...visitor,
    at,
    async allow(orgId, from) {
      rig.sims.drift.addOrg({ orgId })
      const consent = await visitor.follow(await visitor.get(at(`/connect${from ? `?from=${from}` : ''}`)))
      const back = await visitor.submit(consent, { orgId: String(orgId), decision: 'allow' })
      return back.headers.location!
    },
    connect: async (orgId, from) => visitor.follow(await visitor.get(await walk.allow(orgId, from))),
    close: () => httpClient.close(),
  }
  return walk
}

/** A service for the tests beside the call, with an admin who has connected the account. */
export function withAdmin(startRig: () => Promise<Rig>, use: (rig: Rig, admin: Walk) => void): void {
  let rig: Rig
  let admin: Walk
  before(async () => {
    rig = await startRig()
    admin = openWalk(rig)
    use(rig, admin)
    await admin.connect(org)
  })
  after(async () => {
    await admin.close()
    await rig.close()
  })
}
