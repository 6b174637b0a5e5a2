/**
 * Whether an account's events get from Drift to Segment: exactly one of seven words, why, and the one thing to do. A pure
 * function of what is known of the account; status.test.ts is its truth table.
 */
import { firstOf } from '../../accounts/destinations.ts'
import { canResume, canRetry } from '../../accounts/retry.ts'
import { noSettings } from '../../accounts/settings.ts'
import { holdOf, leaving, unproven } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { flowOf, isLate, nextOf } from './destination-flow.ts'
import { isMendedByConnecting, isMendedByKey, todoOf } from './remedies.ts'
import type { Facts, Status } from './status-facts.ts'
import { withOthers } from './status-others.ts'
import { endpointIn, isOfSeveral, kept, keyOf, partnerIn } from './status-parts.ts'
import {
  type Action,
  chooseEvents,
  enterKey,
  openApps,
  reconnect,
  resume,
  retry,
  testKey,
  viewList,
} from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'
import { counted } from './ui/parts.ts'
import { adviceOn } from './ui/reasons.ts'

export function statusOf(facts: Facts): Status {
  const { install } = facts
  const ofFirst =
    (install ? ofAccount(facts, install) : undefined) ?? ofSending(facts) ?? ofLookups(facts) ?? ofFlow(facts)
  return withOthers(ofFirst, facts)
}

/** What keeps the account from sending at all. */
function ofAccount(facts: Facts, install: Install): Status | undefined {
  const { since, connects } = facts
  const hold = holdOf(install)
  if (hold === undefined) return undefined
  const advice = adviceOn(hold)
  const effect = kept(facts)
  switch (hold) {
    case 'disconnected':
      return {
        word: 'Stopped',
        level: 'bad',
        title: 'This account is disconnected',
        says: `Its secrets and its stored events are erased, and webhooks from Drift are ignored. ${connects ? 'Reconnect to Drift to start again.' : operatorOnly}`,
        since: since.gone,
        action: connects ? reconnect : undefined,
      }
    case leaving:
      return {
        word: 'Disconnecting',
        level: 'warn',
        title: 'Drift said that this account disconnected',
        says: 'Drift is asked whether that is so. Events are kept until Drift answers, for a day at most; no action needed.',
        since: since.leaving,
        effect,
        action: listOf(facts),
      }
    case unproven:
      return {
        word: 'Disconnecting',
        level: 'bad',
        title: 'Has this account disconnected?',
        says: 'Drift said that it did, and has not confirmed it. If you still use the app, resume sending; if you removed it in Drift, disconnect the account under Connection.',
        since: since.leaving,
        effect,
        action: canResume(install) ? resume : listOf(facts),
      }
    case 'no_write_key':
      return {
        word: 'Setup incomplete',
        level: 'warn',
        title: 'Enter a write key',
        says: `Events from Drift are received and kept. They are sent to ${partnerIn(facts)} once the write key is saved.`,
        since: since.connected,
        effect: effect?.at === undefined ? undefined : effect,
        action: enterKey,
      }
    case 'paused':
      return {
        word: 'Paused',
        level: 'warn',
        title: 'Sending is paused',
        says: 'Events from Drift are received and kept. Resume to send them, in order.',
        since: since.paused,
        effect,
        action: resume,
      }
    default:
      return {
        word: 'Stopped',
        level: 'bad',
        title: advice.short,
        says: `${advice.happened} Events are received and kept. ${advice.todo}`,
        effect,
        action: listOf(facts),
        code: hold,
      }
  }
}

/** What Segment refuses, or does not answer, at the account's first destination; of the others status-others.ts speaks. */
function ofSending(facts: Facts): Status | undefined {
  const { now, install, isFixed } = facts
  const first = firstOf(install ?? { org: '', settings: noSettings })
  const flow = flowOf(facts, first)
  const nextAt = nextOf(flow.lane, now)
  const named = isOfSeveral(facts) ? `${first.name}: ` : ''
  if (flow.is === 'refused') {
    const { reason } = flow
    const advice = adviceAt(reason, first.endpoint)
    return {
      word: 'Stopped',
      level: 'bad',
      title: `${named}${advice.short}`,
      says: `${advice.happened} Nothing is lost: events are kept, and one of them is tried from time to time. ${todoOf(reason, facts, first.endpoint)}`,
      effect: kept(facts),
      nextAt,
      action: isMendedByKey(reason) && !isFixed ? keyOf(facts) : (tryAgain(facts) ?? listOf(facts)),
      code: reason,
    }
  }
  if (flow.is !== 'late') return undefined
  const advice = flow.reason === undefined ? undefined : adviceAt(flow.reason, first.endpoint)
  return {
    word: 'Delayed',
    level: 'warn',
    title: `${named}${advice ? advice.happened.replace(/\.$/, '') : 'Events wait longer than usual'}`,
    says: advice
      ? `Events are kept and sent again by themselves. ${advice.todo}`
      : 'Events are being sent, and more have come than could be sent at once. No action needed.',
    effect: kept(facts),
    nextAt: advice && nextAt,
    action: tryAgain(facts) ?? listOf(facts),
    code: flow.reason,
  }
}

/** What Drift refuses, or does not answer. */
function ofLookups(facts: Facts): Status | undefined {
  const { now, lanes, install, lookingUp, oldestLookupAt, connects } = facts
  const lookupLane = lanes.find(({ lane }) => lane === 'ask')
  const reason = lookupLane?.blocked ?? ofDrift(install?.reason)
  if (reason !== undefined) {
    const advice = adviceOn(reason)
    return {
      word: 'Stopped',
      level: 'bad',
      title: reason === 'grant_dead' ? 'Reconnect to Drift' : advice.short,
      says: `${advice.happened} Events that name their contact are still sent; those that must be looked up in Drift are kept. ${todoOf(reason, facts)}`,
      effect: kept(facts),
      nextAt: nextOf(lookupLane, now),
      action: connects && isMendedByConnecting(reason) ? reconnect : (tryAgain(facts) ?? listOf(facts)),
      code: reason,
    }
  }
  if (!lookupLane || lookupLane.failures === 0 || lookupLane.lastError === undefined || lookingUp === 0)
    return undefined
  if (!isLate(oldestLookupAt, now)) return undefined
  const advice = adviceOn(lookupLane.lastError)
  return {
    word: 'Delayed',
    level: 'warn',
    title: advice.happened.replace(/\.$/, ''),
    says: `Events that must be looked up in Drift are kept, and Drift is asked again by itself; all others are sent. ${advice.todo}`,
    effect: { says: `${counted(lookingUp, 'event')} to be looked up`, at: oldestLookupAt },
    nextAt: nextOf(lookupLane, now),
    action: tryAgain(facts) ?? viewList('looking-up', 'View events to be looked up'),
    code: lookupLane.lastError,
  }
}

/** Nothing is in the way, as far as it is known: whether something comes, and whether it arrives. */
function ofFlow(facts: Facts): Status {
  const { install, everReceived, everDelivered, lastReceivedAt, lastDeliveredAt } = facts
  const { isSilent, isConfirmed, isAllOff, wrong } = facts
  const partner = partnerIn(facts)
  if (isAllOff)
    return {
      word: 'Stopped',
      level: 'warn',
      title: 'Every event type is disabled',
      says: 'Disabled events are not sent and not stored. Enable those that should be sent.',
      since: facts.since.choseEvents,
      action: chooseEvents,
    }
  if (!everReceived)
    return {
      word: 'Waiting for the first event',
      level: 'info',
      title: 'No event has come from Drift yet',
      says: 'Start a chat on your website, or have someone do it: the event appears here within seconds. If it does not, check that the app is still installed in Drift.',
      since: install?.createdAt || undefined,
      action: openApps(facts.appsUrl),
    }
  if (isSilent)
    return {
      word: 'Stopped',
      level: 'warn',
      title: 'No events from Drift',
      says: 'That is much longer than usual for this account. Check that the app is still installed in Drift.',
      since: lastReceivedAt,
      action: openApps(facts.appsUrl),
    }
  if (!everDelivered)
    return {
      word: 'Waiting for the first event',
      level: 'info',
      title: 'No event has been delivered yet',
      says: `Events have come from Drift. ${partner} has not accepted one so far.`,
      effect: kept(facts),
      action: viewList('', 'View events'),
    }
  const last = isOfSeveral(facts) ? `Last delivered to ${partner}` : 'Last delivered'
  const effect = lastDeliveredAt === undefined ? undefined : { says: last, at: lastDeliveredAt }
  const { failed, notRecognized } = wrong
  if (failed + notRecognized > 0) {
    const parts = [
      ...(failed > 0 ? [`${counted(failed, 'event')} failed`] : []),
      ...(notRecognized > 0 ? [`${counted(notRecognized, 'event')} not recognized`] : []),
    ]
    return {
      word: 'Working',
      level: 'warn',
      title: `Action needed: ${parts.join(', ')}${isOfSeveral(facts) && failed > 0 ? ` at ${partner}` : ''}`,
      says: 'Open an event to see why it did not arrive, and whether resending helps. This holds up no other event.',
      effect,
      action: failed > 0 ? viewList('failed', 'View failed events') : viewList('not-recognized', 'View these events'),
    }
  }
  if (!isConfirmed)
    return {
      word: 'Working',
      level: 'info',
      title: `Accepted by ${partner}, not yet confirmed`,
      says:
        endpointIn(facts) === undefined
          ? 'Segment accepts events of wrong write keys too. Send a test event, and look for it in your source’s Debugger.'
          : `Send a test event, and look for it at ${partner}: only that proves that events arrive.`,
      effect,
      action: testKey,
    }
  return { word: 'Working', level: 'good', title: `Events reach ${partner}`, says: 'No action needed.', effect }
}

const operatorOnly = 'Only the operator of this service can connect it again.'

/** The list of what waits, when something does. */
function listOf({ queued, blocked, lookingUp }: Facts): Action | undefined {
  if (blocked > 0) return viewList('blocked', 'View blocked events')
  if (queued > 0) return viewList('queued', 'View queued events')
  return lookingUp > 0 ? viewList('looking-up', 'View events to be looked up') : undefined
}

/** Only where it does something. */
function tryAgain({ install, lanes, now }: Facts): Action | undefined {
  return canRetry(install, lanes, now) ? retry : undefined
}

/** An account's reason, where it is Drift that refuses. */
function ofDrift(reason: string | undefined): string | undefined {
  return reason !== undefined && /^(grant|drift)_/.test(reason) ? reason : undefined
}
