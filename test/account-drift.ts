/**
 * What comes of a line of test/account-table.ts with each answer of Drift, where Drift is asked about
 * the grant: when an account is connected, is disconnected, may have left, and is kept connected.
 */
import { eachMeaning, endingSays, grantSays, lookupSays, segmentSays, tokenSays } from './account-answers.ts'
import { type Case, columnsOf, innerOf, isUnlisted, of, rowOf, type Table, tried, words } from './account-line.ts'
import { type Partners, well } from './account-stage.ts'

/** Drift knows the grant, and renews it. */
export const lives: Partial<Partners> = { tokenInfo: well.tokenInfo, refresh: well.refresh }

/** Why an account is not connected, by what Drift says of the code, and of the token that it gave for it. */
const ofCode = { refused: 'code', 'our app': 'client', later: 'unavailable', 'of another': 'account' }
const ofToken = {
  'another app': 'stranger',
  'of another': 'account',
  unnamed: 'account',
  dead: 'grant',
  unclear: 'unavailable',
  later: 'unavailable',
}

/** The line says what comes of it where Drift says whose the account is; in each other case nothing does. */
export function byConnecting(table: Table) {
  return (state: string): Case[] => {
    const row = rowOf(table, state)
    const isNotAllowed = row.told.startsWith('not_allowed')
    const failing = (where: string, says: Partial<Partners>, why: string): Case => {
      const wanted = { told: `unfinished: ${why}`, state, audit: [], isSent: false, attempt: [] }
      return { where: `Drift answers ${where}`, says: { ...lives, ...says }, wanted }
    }
    const codes = of(state, grantSays).flatMap(([answer, exchange, means]) =>
      means === 'given' ? [] : [failing(`the code with ${answer}`, { exchange }, ofCode[means])],
    )
    const tokens = of(state, tokenSays).flatMap(([answer, tokenInfo, means]) =>
      means === 'it lives' || (means === 'another app' && isNotAllowed)
        ? []
        : [failing(`what the token is with ${answer}`, { tokenInfo }, ofToken[means])],
    )
    const endings = endingSays.map(([answer, uninstall, means]) =>
      failing(`the end of the grant with ${answer}`, { uninstall }, means === 'ended' ? row.told : 'not_ended'),
    )
    if (!isNotAllowed) return [...codes, ...tokens, ...tried(row, state, { says: lives })]
    return [...codes, ...tokens, ...(row.told === 'not_allowed' ? endings : [failing('yes', {}, row.told)])]
  }
}

/** The line says what comes of it where Drift ends the grant; all goes in each other case as well, which the audit says. */
export function byDisconnecting(table: Table) {
  return (state: string): Case[] => {
    const { told, state: then, audit } = rowOf(table, state)
    const unended = { told: 'unrevoked', audit: ['disconnected; Drift did not confirm that its grant has ended'] }
    const one = (where: string, says: Partial<Partners>, isEnded: boolean): Case => {
      const outcome = isEnded || told === 'no_grant' ? { told, audit } : unended
      return { where: `Drift answers ${where}`, says, wanted: { ...outcome, state: then, isSent: false, attempt: [] } }
    }
    return of(state, endingSays).flatMap(([answer, uninstall, means]) => {
      if (means !== 'refused') return [one(answer, { uninstall }, means === 'ended')]
      // The token may have run out, so Drift is asked for another one. A grant that it does not renew has ended.
      return of(state, grantSays).map(([again, refresh, renewal]) =>
        one(`${answer}, and the renewal with ${again}`, { uninstall, refresh }, renewal === 'refused'),
      )
    })
  }
}

/** The line has a column for each: the account has not left, it has, Drift cannot say, and nothing clear was said. */
export function byLeaving(table: Table) {
  return (state: string): Case[] => {
    const within = isUnlisted(state) ? innerOf(state) : state
    const isThere = within !== 'absent' && within !== 'disconnected'
    const [alive, dead, unsaid, silent] = columnsOf(table, within)
    const asked = isThere && !within.startsWith('disconnecting (') ? ['asked'] : []
    const one = (where: string, says: Partial<Partners>, then: string, ...acts: string[]): Case[] => {
      const audit = isThere ? [...asked, ...acts].map((act) => words[act]!) : []
      const tries = isThere && then === 'live' && !isUnlisted(state) ? 'both' : 'nothing'
      const row = { told: '', state: isUnlisted(state) ? `not listed (${then})` : then, audit, tries } as const
      const sayYes = { sends: segmentSays.slice(0, 1), lookups: lookupSays.slice(0, 1) }
      return tried(row, state, { says, ...sayYes }).map((found) => ({ ...found, where }))
    }
    const firsts = new Set(eachMeaning(tokenSays))
    return of(state, tokenSays).flatMap((answer): Case[] => {
      const [says, tokenInfo, means] = answer
      const where = `Drift answers what the token is with ${says}`
      if (means === 'it lives' || means === 'another app') return one(where, { tokenInfo }, alive!, 'denied')
      if (means === 'of another') return one(where, { tokenInfo }, unsaid!, 'unsaid')
      if (means !== 'dead' && means !== 'unclear') return one(where, { tokenInfo }, silent!)
      // Each renewal after one answer of each meaning, and a renewal of each meaning after each answer.
      const renewals = firsts.has(answer) ? of(state, grantSays) : eachMeaning(grantSays)
      return renewals.flatMap(([again, refresh, renewal]) => {
        const both = `${where}, and the renewal with ${again}`
        if (renewal === 'given') return one(both, { tokenInfo, refresh }, alive!, 'denied')
        if (renewal === 'refused' && means === 'dead') return one(both, { tokenInfo, refresh }, dead!, 'confirmed')
        return one(both, { tokenInfo, refresh }, silent!)
      })
    })
  }
}

/** The line has a column for each: a new pair is given, Drift refuses to give one, and nothing clear was said. */
export function byKeeping(table: Table) {
  return (state: string): Case[] => {
    const [given, refused, silent] = columnsOf(table, isUnlisted(state) ? innerOf(state) : state)
    return of(state, grantSays).map(([answer, refresh, means]) => {
      const then = means === 'given' ? given! : means === 'refused' ? refused! : silent!
      const shown = isUnlisted(state) ? `not listed (${then})` : then
      const wanted = { told: '', state: shown, audit: [], isSent: false, attempt: [] }
      return { where: `Drift answers ${answer}`, says: { refresh }, wanted }
    })
  }
}
