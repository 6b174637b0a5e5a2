/** What came of a test event, and the forms that save what it was sent with: for a destination that is there, or one to be added. */
import { html } from 'hono/html'
import type { KeyTested } from '../../accounts/change-key.ts'
import type { Place } from '../../segment/place.ts'
import { partnerAt, placeValue, regionNames } from './place-field.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { HeldKey } from './ui/key-question.ts'
import type { Html } from './ui/layout.ts'
import { button, notice, postForm } from './ui/parts.ts'

/** A test event, as it was sent just now. */
export interface Tested extends KeyTested {
  key: HeldKey
  place: Place
  /** Both are what is saved. */
  isSaved: boolean
}

export interface Saves {
  csrf: string
  action: string
  /** Beside the key and the place. */
  fields: Readonly<Record<string, string>>
  /** `add it`, for the buttons. */
  verb: { seen: string; unseen: string }
  /** Where a test of what is saved is confirmed. */
  confirm?: string
}

export function testResult(tested: Tested, saves: Saves): Html {
  const { messageId, verdict, sign, key, place, isSaved } = tested
  const partner = partnerAt(place)
  const name = html`the write key with fingerprint <code>${key.fingerprint}</code>`
  if (verdict.is !== 'done') {
    const { happened, todo } = adviceAt(verdict.reason, place.endpoint)
    const says = html`<p>${happened} It was sent with ${name}. ${todo}</p>`
    return notice('bad', `${partner} did not accept the test event`, says)
  }
  const buttons = isSaved ? confirmForm(tested, saves) : saveForms(tested, saves)
  if (place.endpoint !== undefined)
    return notice(
      'info',
      `${partner} accepted the test event. Has it arrived there?`,
      html`<p>Look at ${partner} for <code>connection_test</code> with the message id <code>${messageId}</code>. It was sent with ${name}.</p>`,
      buttons,
    )
  const signs = {
    known: 'Segment’s public settings know this write key.',
    unconfirmed: 'Segment’s public settings do not list this write key, as may be for a new source or one for servers.',
    unasked: '',
  }
  return notice(
    'info',
    'Segment accepted the test event. Is it in your source?',
    html`<p>In Segment, open the source, then Debugger, and look for <code>connection_test</code> with the message id <code>${messageId}</code>. It was sent with ${name} to the region ${regionNames[place.region]}. ${signs[sign]}</p>
    <p class="small">If it is not there after a minute, the write key or the region belongs to another source.</p>`,
    buttons,
  )
}

function seenAt(place: Place): string {
  return place.endpoint === undefined ? 'I see it in Segment' : 'I see it there'
}

function confirmForm({ key, place }: Tested, { csrf, fields, confirm = '' }: Saves): Html {
  const { destination = '' } = fields
  return postForm(
    confirm,
    csrf,
    html`${hidden({ key: key.held, region: placeValue(place), destination })}${button(seenAt(place), 'primary')}`,
  )
}

function saveForms({ key, place }: Tested, { csrf, action, fields, verb }: Saves): Html {
  const save = (seen: '' | 'yes', label: string) =>
    postForm(
      action,
      csrf,
      html`${hidden({ ...fields, chosen: key.held, region: placeValue(place), seen })}${button(label, seen ? 'primary' : '')}`,
    )
  return html`<div class="row">${save('yes', `${seenAt(place)}: ${verb.seen}`)}${save('', verb.unseen)}</div>`
}

export function hidden(fields: Readonly<Record<string, string>>): Html {
  return html`${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`
}
