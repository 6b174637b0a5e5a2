/** What Connection's forms do with a destination's write key: save it or the place, send a test event, confirm that it arrived. */
import type { Context, Hono } from 'hono'
import { confirmKey } from '../../accounts/actions.ts'
import { record } from '../../accounts/audit.ts'
import { changeWriteKey, testWriteKey } from '../../accounts/change-key.ts'
import { isFixed } from '../../accounts/destination-actions.ts'
import { type Destination, destinationOf, firstOf } from '../../accounts/destinations.ts'
import { fingerprintOf, savedWriteKey, shownKey } from '../../accounts/write-key.ts'
import { Problem } from '../../lib/errors.ts'
import { trimmed } from '../../lib/pasted.ts'
import { judgeFor } from '../../segment/key.ts'
import { isSamePlace } from '../../segment/place.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { heldKey, holdKey, keyGiven } from '../connect/key-form.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Web } from '../session.ts'
import { connectionShown } from './connection.ts'
import type { ConnectionPage } from './connection-cards.ts'
import { destinationPageShown } from './destination.ts'
import { pageOf, connectionPath as path } from './destination-address.ts'
import { isAlone } from './destination-card.ts'
import { placeIn } from './place-field.ts'

type Came = Pick<ConnectionPage, 'tested' | 'question' | 'isStale'> & { wrong?: { writeKey: string } }

export function destinationKeyRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, keyring, keptTest, clock, config } = needs
  const withPlaces = { ...needs, places: config.segment }
  const onConnection = connectionShown(needs)
  const onItsPage = destinationPageShown(needs)

  /** Where the form stood: on Connection if the account has one destination, else on the page of this one. */
  function isOnConnection(c: Context<Web>, { number }: Destination): boolean {
    const install = accounts.get(c.get('session').org)
    return !install || isAlone(install) || !destinationOf(install, number)
  }

  function show(c: Context<Web>, destination: Destination, more: Came = {}, status: 200 | 409 | 422 = 200) {
    return isOnConnection(c, destination)
      ? onConnection(c, more, status)
      : onItsPage(c, destination.number, more, status)
  }

  app.post(`${path}/segment`, async (c) => {
    const fields = await formOf(c, ['writeKey', 'chosen', 'region', 'generation', 'seen', 'destination'])
    const place = placeIn(fields.region)
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    const one = install && meant(install, fields.destination)
    if (!one || isFixedHere(install, one)) return refuse(c, 404, 'not_found')
    if (!place) return refuse(c, 400, 'form_unusable')
    const saved = await savedWriteKey(keyring, org, one)
    const known =
      saved === undefined ? undefined : { word: 'saved' as const, key: saved, isMoved: !isSamePlace(place, one) }
    const { writeKey: pasted, chosen, generation, seen } = fields
    const given = await keyGiven(keyring, org, { pasted, chosen, known, judge: judgeFor(place) })
    if (given.is === 'wrong') return show(c, one, { wrong: { writeKey: `Not saved: ${given.problem}.` } }, 422)
    if (String(install.generation) !== generation) return show(c, one, { isStale: true }, 409)
    if (given.is === 'unsure') return show(c, one, { question: { ...given.question, place } }, 422)
    // A refused one is tried again by saving it as it is.
    if (given.writeKey === saved && !known?.isMoved && seen === '' && !(await isRefused(org, one)))
      return c.redirect(`${path}?done=unchanged`, 303)
    const key = given.writeKey === saved ? {} : { writeKey: given.writeKey }
    const change = { destination: one.number, region: place.region, endpoint: place.endpoint, by: who, ...key }
    const changed = await orProblem(() => changeWriteKey(withPlaces, org, change))
    if (changed.is === 'problem') return show(c, one, { wrong: { writeKey: `Not saved: ${changed.why}.` } }, 422)
    if (changed.is !== 'saved') return show(c, one, { isStale: true }, 409)
    const isSeen = seen === 'yes'
    if (isSeen) await confirmKey(needs, org, { destination: one.number, fingerprint: changed.fingerprint, place, who })
    return c.redirect(`${path}?done=${isSeen ? seenAt(place) : 'segment'}`, 303)
  })

  app.post(`${path}/test`, allowOldProof, async (c) => {
    const fields = await formOf(c, ['writeKey', 'region', 'generation', 'destination'])
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    const one = install && meant(install, fields.destination)
    if (!one || install.state === 'disconnected' || install.unreadable) return c.redirect(path, 303)
    const saved = await savedWriteKey(keyring, org, one)
    const place = placeIn(fields.region) ?? one
    const judged = judgeFor(place)(trimmed(fields.writeKey) || (saved ?? ''))
    if (judged.is === 'refused') return show(c, one, { wrong: { writeKey: `Not sent: ${judged.why}.` } }, 422)
    const result = await orProblem(() => testWriteKey({ ...needs, segment: config.segment }, judged.key, place))
    if (result.is === 'problem') return show(c, one, { wrong: { writeKey: `Not sent: ${result.why}.` } }, 422)
    const key = await holdKey(keyring, org, judged.key)
    await record({ ...storage, clock }, { org, who, act: 'testedKey', about: `fingerprint ${key.fingerprint}` })
    const isSaved = judged.key === saved && isSamePlace(place, one)
    const tested = { ...result, key, place, isSaved }
    // What came of it is a page of its own, so that loading it again sends nothing.
    if (!(await keptTest.keep(c, org, one.number, tested))) return show(c, one, { tested })
    return c.redirect(isOnConnection(c, one) ? `${path}?done=tested#segment` : `${pageOf(one)}&done=tested`, 303)
  })

  app.post(`${path}/confirm`, allowOldProof, async (c) => {
    const { key, region, destination } = await formOf(c, ['key', 'region', 'destination'])
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    const one = install && meant(install, destination)
    if (!one) return refuse(c, 404, 'not_found')
    const place = placeIn(region)
    if (!place) return refuse(c, 400, 'form_unusable')
    const tested = await heldKey(keyring, org, key)
    const shown = await shownKey(keyring, install, one)
    if (tested === undefined || fingerprintOf(tested) !== shown?.fingerprint)
      return show(c, one, { isStale: true }, 409)
    const seen = { destination: one.number, fingerprint: shown.fingerprint, place, who }
    if (!(await confirmKey(needs, org, seen))) return show(c, one, { isStale: true }, 409)
    return c.redirect(`${path}?done=${seenAt(one)}`, 303)
  })

  async function isRefused(org: string, { number, reason }: Destination): Promise<boolean> {
    const lanes = await storage.lookup.lanes(org)
    return reason !== undefined || lanes.some((one) => one.destination === number && one.blocked !== undefined)
  }

  function isFixedHere(install: Install, { number }: Destination): boolean {
    return config.single !== undefined && isFixed({ singleOrg: config.single.org }, install, number)
  }
}

/** The one that the form names; the first, where it names none. Undefined for one that is not there any more. */
function meant(install: Install, number: string): Destination | undefined {
  return number === '' ? firstOf(install) : destinationOf(install, Number(number))
}

function seenAt({ endpoint }: { endpoint?: string | undefined }): 'confirmed' | 'arrived' {
  return endpoint === undefined ? 'confirmed' : 'arrived'
}

/** What an action did, or why not, as the end of a sentence that an admin reads. */
export async function orProblem<Did extends object>(
  act: () => Promise<Did>,
): Promise<(Did & { is: Did extends { is: infer Is } ? Is : 'done' }) | { is: 'problem'; why: string }> {
  try {
    const did = await act()
    return { is: 'done', ...did } as Did & { is: Did extends { is: infer Is } ? Is : 'done' }
  } catch (error) {
    const why = error instanceof Problem ? problems[error.code] : undefined
    if (why === undefined) throw error
    return { is: 'problem', why }
  }
}

const problems: Readonly<Record<string, string>> = {
  write_key_unusable: 'the saved write key cannot be one where it would send: enter the write key of that place',
  destination_repeated:
    'another destination of this account sends to the same place under the same write key, and each event would arrive there twice',
  endpoint_not_allowed: 'the operator of this service does not offer this endpoint any more',
}
