/** The form in which an install asks for the write key, as an admin's browser has it before each test beside the call. */
import { after, afterEach, before, beforeEach } from 'node:test'
import type { Seen } from '../src/sim/visitor.ts'
import { org, type Rig } from './rig.ts'
import { openWalk, type Walk } from './walk.ts'

export const path = '/connect/write-key'

export interface KeyForm {
  rig: Rig
  admin: Walk
  form: Seen
}

/** `use` gets what the test has before it. */
export function atKeyForm(startRig: () => Promise<Rig>, use: (at: KeyForm) => void) {
  let at: KeyForm
  let rig: Rig
  before(async () => {
    rig = await startRig()
  })
  after(() => rig.close())
  beforeEach(async () => {
    const admin = openWalk(rig)
    at = { rig, admin, form: await admin.connect(org) }
    use(at)
  })
  afterEach(() => at.admin.close())
  return {
    save: (fields: Record<string, string>, seen = at.form) => at.admin.submit(seen, fields, path),
    tryOut: (fields: Record<string, string>, seen = at.form) => {
      const csrf = /name="csrf" value="([^"]+)"/.exec(seen.body)![1]!
      return at.admin.post(at.admin.at(`${path}/test`), { csrf, region: 'us', writeKey: '', ...fields })
    },
    stored: async () => (await rig.service.store.storage.installs.get(String(org)))!,
  }
}
