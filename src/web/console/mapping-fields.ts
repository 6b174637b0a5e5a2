/** The form of a destination's options: what its fields say, and what stands in them. */
import type { OptionName, Options } from '../../mapping/options.ts'

/** What each option is called in the form, and in the audit. */
export const labels: Readonly<Record<OptionName, string>> = {
  only: 'Events that are sent',
  userId: 'Send a userId',
  anonymousId: 'Use the visitor’s own anonymousId where Drift knows it',
  externalIds: 'Send the contact id as an external id',
  consent: 'Send consent with each event',
  safeNames: 'Add names that warehouses keep',
  liveChat: 'Also send Segment’s Live Chat events',
  drop: 'Properties and traits that are not sent',
  hash: 'Properties and traits that are sent as a hash',
  prefix: 'Use another beginning of event names',
  rename: 'Other names of events, properties and traits',
}

export const oneFields = [
  'userIdAttribute',
  'confirmed',
  'consentAttribute',
  'consentOtherwise',
  'prefix',
  'attributes',
  'drop',
  'hash',
  'renameEvents',
  'renameFields',
] as const

/** `on`: options that are a box; `types`: events that are sent. */
export const manyFields = ['on', 'types'] as const

export type MappingFields = Record<(typeof oneFields)[number], string> & Record<(typeof manyFields)[number], string[]>

/** As they are to be judged: nothing of it need be right. `types`: all that there are, so that none is named where all are sent. */
export function optionsIn(fields: MappingFields, types: readonly string[]): Record<string, unknown> {
  const isOn = (name: OptionName) => fields.on.includes(name)
  const confirmed = fields.confirmed.trim() === '' ? {} : { confirmed: fields.confirmed.trim() }
  const only = {
    ...(types.every((type) => fields.types.includes(type)) ? {} : { types: fields.types }),
    ...listed('attributes', linesIn(fields.attributes)),
  }
  const rename = {
    ...named('events', pairsIn(fields.renameEvents, 'first')),
    ...named('fields', pairsIn(fields.renameFields, 'last')),
  }
  const attribute = fields.userIdAttribute.trim() || 'externalId'
  return {
    ...named('only', only),
    ...(isOn('userId') ? { userId: { attribute, ...(attribute === 'externalId' ? {} : confirmed) } } : {}),
    ...(isOn('anonymousId') ? { anonymousId: confirmed } : {}),
    ...(isOn('externalIds') ? { externalIds: true } : {}),
    ...(isOn('consent')
      ? { consent: { attribute: fields.consentAttribute.trim(), otherwise: fields.consentOtherwise } }
      : {}),
    ...(isOn('safeNames') ? { safeNames: true } : {}),
    ...(isOn('liveChat') ? { liveChat: true } : {}),
    ...listed('drop', linesIn(fields.drop)),
    ...listed('hash', linesIn(fields.hash)),
    ...(isOn('prefix') ? { prefix: fields.prefix } : {}),
    ...named('rename', rename),
  }
}

/** What stands in the form where these are chosen. */
export function fieldsFor(options: Options, types: readonly string[]): MappingFields {
  const { only, userId, anonymousId, consent, prefix, drop = [], hash = [], rename } = options
  const boxes = ['userId', 'anonymousId', 'externalIds', 'consent', 'safeNames', 'liveChat', 'prefix'] as const
  const pairs = (of: Readonly<Record<string, string>> = {}) =>
    Object.entries(of)
      .map(([from, to]) => `${from} = ${to}`)
      .join('\n')
  return {
    on: boxes.filter((name) => options[name] !== undefined),
    types: [...(only?.types ?? types)],
    userIdAttribute: userId?.attribute ?? 'externalId',
    confirmed: userId?.confirmed ?? anonymousId?.confirmed ?? '',
    consentAttribute: consent?.attribute ?? '',
    consentOtherwise: consent?.otherwise ?? 'send',
    prefix: prefix ?? '',
    attributes: (only?.attributes ?? []).join('\n'),
    drop: drop.join('\n'),
    hash: hash.join('\n'),
    renameEvents: pairs(rename?.events),
    renameFields: pairs(rename?.fields),
  }
}

function listed(name: string, all: readonly string[]): Record<string, unknown> {
  return all.length > 0 ? { [name]: all } : {}
}

function named(name: string, what: object): Record<string, unknown> {
  return Object.keys(what).length > 0 ? { [name]: what } : {}
}

function linesIn(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim())
  return [...new Set(lines.filter((line) => line !== ''))]
}

/** `old = new`, one a line. A new name of a field has no `=` in it, nor has a type of events. */
function pairsIn(text: string, at: 'first' | 'last'): Record<string, string> {
  return Object.fromEntries(
    linesIn(text).map((line) => {
      const cut = at === 'first' ? line.indexOf('=') : line.lastIndexOf('=')
      return cut < 0 ? [line, ''] : [line.slice(0, cut).trim(), line.slice(cut + 1).trim()]
    }),
  )
}
