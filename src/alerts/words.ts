/** The texts of alerts. All of them are ours: no text from an event, a person or an admin gets into one. */
import { isAccountReason, isEndedBy } from '../accounts/needs-attention.ts'
import { explain } from '../operations/reasons.ts'
import type { Item } from './body.ts'
import type { RuleName } from './rules.ts'

export interface Sentences {
  /** For a subject line: half a sentence. */
  title: string
  text: string
  /** What to do; absent where nothing is left to do. */
  todo?: string
}

interface Row {
  /** The rule's name beside its switch, and when it is raised. */
  name: string
  when: string
  raised(item: Item): Sentences
  recovered(item: Item): Sentences
  /** For the operator, about one or several accounts. */
  operator: { raised(item: Item): Sentences; recovered(item: Item): Sentences }
}

const to = ({ destination, partner = 'Segment' }: Item) =>
  destination === undefined ? partner : `destination ${destination}`
const kept = 'They are kept, and are sent when this is over.'
const means = ({ reason, partner }: Item) => {
  if (reason === undefined) return ''
  const text = explain(reason, partner).means
  // The name of an endpoint stays as it is.
  return `${partner && !partner.includes(' ') && text.startsWith(partner) ? text : capital(text)}. `
}
const many = (count: number | undefined, one: string, more: string) =>
  count === 1 ? `1 ${one}` : `${count ?? 'Some'} ${more}`
const accounts = ({ accounts, accountsInAll }: Item) => many(accountsInAll ?? accounts?.length, 'account', 'accounts')
const failed = (item: Item, whose = '') =>
  `${many(item.count, 'event', 'events')}${whose} failed, the first for this reason. ${means(item)}`.trim()
const unrecognized = ({ count }: Item) =>
  `${many(count, 'webhook was', 'webhooks were')} not recognized as an event. Nothing is lost: each is kept.`
const requests = ({ count }: Item) =>
  `Drift requests that the data of a person is deleted: ${many(count, 'request is', 'requests are')} open.`

/** The last alert of an account that Drift has disconnected. */
const farewell: Sentences = {
  title: 'Drift disconnected the account',
  text: 'Drift has disconnected this account. No events are sent any more, and what this service stored of it is erased, the addresses that alerts go to among it. This is the last alert.',
  todo: 'If that was not meant, connect the account to Drift again, and add the recipients of alerts again.',
}

export const words: Readonly<Record<RuleName, Row>> = {
  stopped: {
    name: 'Events are not sent',
    when: 'A destination refuses the write key, something else answers in its place, or Drift ended its authorization.',
    raised: (item) =>
      item.reason === 'disconnected'
        ? farewell
        : {
            title: 'events are not sent',
            text: `${stops(item)} ${means(item)}${kept}`,
            todo: 'Open the console: its home page says what to do.',
          },
    recovered: (item) => ({ title: 'events are sent again', text: `Events are sent to ${to(item)} again.` }),
    operator: {
      raised: (item) => ({
        title: `events of ${accounts(item)} are not sent`,
        text: `Events of ${accounts(item)} are not sent, or not all of them. ${kept}`,
        todo: 'Run `installs list`: it says of each account why, and what to do.',
      }),
      recovered: () => ({
        title: 'no account is stopped any more',
        text: 'No account is stopped any more: events of each are sent, or it has disconnected or removed the destination.',
      }),
    },
  },
  delayed: {
    name: 'Events are delayed',
    when: 'Events have been queued for longer than the minutes below.',
    raised: (item) => ({
      title: 'events are delayed',
      text: `Events for ${to(item)} have been queued for more than ${item.minutes} minutes. ${means(item)}${kept}`,
      todo: 'No action is needed if it passes: the service goes on trying. The console shows how many events are queued.',
    }),
    recovered: (item) => ({
      title: 'events are on time again',
      text: `Events for ${to(item)} are on time again: what was queued has been sent.`,
    }),
    operator: {
      raised: (item) => ({
        title: `events of ${accounts(item)} are delayed`,
        text: `Events of ${accounts(item)} have been queued for more than ${item.minutes} minutes. ${kept}`,
        todo: 'If it is many accounts at once, look at status.segment.com and at the way out of this network.',
      }),
      recovered: () => ({
        title: 'no account is delayed any more',
        text: 'Events of no account are delayed any more.',
      }),
    },
  },
  silence: {
    name: 'Drift sends nothing',
    when: 'Nothing came from Drift for much longer than is usual.',
    raised: () => ({
      title: 'Drift sends nothing',
      text: 'Drift has sent nothing for much longer than is usual for this account.',
      todo: 'Look in Drift whether the app is still installed and its webhooks are switched on.',
    }),
    recovered: () => ({ title: 'Drift sends events again', text: 'Drift sends events again.' }),
    operator: {
      raised: (item) => ({
        title: `Drift sends nothing for ${accounts(item)}`,
        text: `Drift has sent nothing for ${accounts(item)} for much longer than is usual for them.`,
        todo: 'If it is many accounts at once, look whether Drift still reaches this service: the request URL of the Drift app, DNS, the certificate.',
      }),
      recovered: () => ({
        title: 'no account is silent any more',
        text: 'No account is silent any more: Drift sends events of each, or it has disconnected.',
      }),
    },
  },
  failed: {
    name: 'Events failed for a new reason',
    when: 'An event failed, and no stored event had failed for that reason before.',
    raised: (item) => ({
      title: 'events failed',
      text: failed(item),
      todo: 'Open the console: Events lists those that failed, with what can be done about each.',
    }),
    recovered: () => ({
      title: 'no failed event is left',
      text: 'No event that failed for this reason is left: each was resent, erased, or is too old to be kept.',
    }),
    operator: {
      raised: (item) => ({
        title: `events of ${accounts(item)} failed`,
        text: failed(item, ` of ${accounts(item)}`),
        todo: 'Run `inspect --state dead`: it lists them; of a single one it says what happened and what to do.',
      }),
      recovered: () => ({
        title: 'no failed event is left',
        text: 'No event that failed for this reason is left at any account.',
      }),
    },
  },
  unrecognized: {
    name: 'Something was not recognized',
    when: 'A webhook does not read as an event that Drift documents.',
    raised: (item) => ({
      title: 'something was not recognized',
      text: unrecognized(item),
      todo: 'Open the console: Events lists what was not recognized, with the reason.',
    }),
    recovered: () => ({
      title: 'nothing unrecognized is left',
      text: 'Nothing that was not recognized is left: each was resent, erased, or is too old to be kept.',
    }),
    operator: {
      raised: (item) => ({
        title: 'something was not recognized',
        text: unrecognized(item),
        todo: 'Look at them with `inspect --state quarantined`. Those of no account are from the time before their account could be read.',
      }),
      recovered: () => ({
        title: 'nothing unrecognized is left',
        text: 'Nothing that was not recognized is left at any account.',
      }),
    },
  },
  missing: {
    name: 'Events never came',
    when: 'A daily comparison with Drift finds conversations or meetings that never came.',
    raised: (item) => ({
      title: 'events never came',
      text: `Drift lists ${many(item.count, 'conversation or meeting', 'conversations and meetings')} that never came, for no known reason.`,
      todo: 'Open History in the console: one button sends exactly these.',
    }),
    recovered: () => ({ title: 'nothing is missing any more', text: 'Nothing that Drift lists is missing any more.' }),
    operator: {
      raised: (item) => ({
        title: `events of ${accounts(item)} never came`,
        text: `Drift lists conversations or meetings of ${accounts(item)} that never came, for no known reason.`,
        todo: 'Look whether Drift reaches this service; `reconcile --send` sends what is missing.',
      }),
      recovered: () => ({
        title: 'nothing is missing any more',
        text: 'Nothing that Drift lists is missing at any account any more.',
      }),
    },
  },
  deletion_request: {
    name: 'Drift requests that a person is deleted',
    when: 'A person asked for their data to be deleted, and that has not been handled yet.',
    raised: (item) => ({
      title: 'a person asked to be deleted',
      text: requests(item),
      todo: 'Delete the person in Segment and in this service: the console lists the request.',
    }),
    recovered: () => ({ title: 'no deletion request is open', text: 'No deletion request is open any more.' }),
    operator: {
      raised: (item) => ({
        title: `${accounts(item)} with open deletion requests`,
        text: requests(item),
        todo: 'The admins of the accounts are asked to act; `inspect --state quarantined` lists the requests.',
      }),
      recovered: () => ({
        title: 'no deletion request is open',
        text: 'No deletion request of any account is open any more.',
      }),
    },
  },
}

/** What Drift refuses stops only what it must be asked about. */
function stops(item: Item): string {
  const { reason = '' } = item
  const isOfLookups = isAccountReason(reason) && isEndedBy(reason, 'lookup')
  return isOfLookups
    ? 'Events whose contact must be looked up at Drift are not sent.'
    : `No events are sent to ${to(item)}.`
}

export function sentencesOf(item: Item, { toOperator }: { toOperator: boolean }): Sentences {
  const row = toOperator ? words[item.rule].operator : words[item.rule]
  return item.change === 'raised' ? row.raised(item) : row.recovered(item)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
