/** The form of a destination's options: what its fields say, and what stands in them. */
import type { OptionName, Options, Refused } from '../../mapping/options.ts'

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

/** What the other fields are called. */
export const fieldLabels = {
  types: labels.only,
  userIdAttribute: 'Attribute of the contact with your id of the person',
  confirmed: 'Confirmation, where visitors can change the attribute',
  consentAttribute: 'Attribute with the consent categories',
  consentOtherwise: 'Where a contact has none',
  prefix: 'Beginning of event names',
  attributes: 'The only attributes of contacts that are sent',
  drop: labels.drop,
  hash: labels.hash,
  renameEvents: 'Other names of events',
  renameFields: 'Other names of properties and traits',
  message: 'Or an event of this account, by its message id',
} as const

/** What is wrong, at which field; without one it is about all of them. */
export interface Wrong {
  field?: keyof typeof fieldLabels
  says: string
}

/** The field in which a part of an option stands: by the option where it has one alone. */
const fieldOf: Readonly<Record<string, Wrong['field']>> = {
  'only.types': 'types',
  'only.attributes': 'attributes',
  userId: 'confirmed',
  'userId.attribute': 'userIdAttribute',
  'userId.confirmed': 'confirmed',
  anonymousId: 'confirmed',
  consent: 'consentAttribute',
  'consent.otherwise': 'consentOtherwise',
  prefix: 'prefix',
  drop: 'drop',
  hash: 'hash',
  'rename.events': 'renameEvents',
  'rename.fields': 'renameFields',
}

/** What was refused, in sentences at the form's fields. */
export function wrongOf(refused: readonly Refused[]): Wrong[] {
  return refused.map(({ at, says }) => {
    const [name = '', part = ''] = at.map(String)
    const field = fieldOf[`${name}.${part}`] ?? fieldOf[name]
    // Of one of several lines it is said which.
    const about = at.length > (name === 'drop' || name === 'hash' ? 1 : 2) ? `One of the lines: ${says}` : says
    if (field === 'consentAttribute' && says === 'it is empty')
      return { field, says: 'Enter the name of the attribute.' }
    return { ...(field ? { field } : {}), says: `${about.startsWith('it ') ? `I${about.slice(1)}` : about}.` }
  })
}

/** The same of a form, and of lines that say nothing, or two things of one name. */
export function wrongIn(fields: MappingFields, refused: readonly Refused[]): Wrong[] {
  const ofLines = (['renameEvents', 'renameFields'] as const).flatMap((field): Wrong[] => {
    const pairs = linesIn(fields[field]).map((line) => ({ line, pair: pairOf(line, cutAt[field]) }))
    const odd = pairs.find(({ pair }) => pair.includes(''))
    if (odd) return [{ field, says: `“${odd.line}” does not read as: old name = new name.` }]
    const names = pairs.map(({ pair: [from] }) => from)
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    return twice === undefined ? [] : [{ field, says: `${twice} has two lines: keep one of them.` }]
  })
  const isSaid = ({ field }: Wrong) => ofLines.some((one) => one.field === field)
  return [...ofLines, ...wrongOf(refused).filter((one) => !isSaid(one))]
}

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
    ...named('events', pairsIn(fields.renameEvents, cutAt.renameEvents)),
    ...named('fields', pairsIn(fields.renameFields, cutAt.renameFields)),
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

type At = 'first' | 'last'

/** At which `=` a line is cut: a new name of a field has none in it, nor has a type of events. */
const cutAt = { renameEvents: 'first', renameFields: 'last' } as const

/** `old = new`, one a line. */
function pairsIn(text: string, at: At): Record<string, string> {
  return Object.fromEntries(linesIn(text).map((line) => pairOf(line, at)))
}

function pairOf(line: string, at: At): readonly [from: string, to: string] {
  const cut = at === 'first' ? line.indexOf('=') : line.lastIndexOf('=')
  return cut < 0 ? [line, ''] : [line.slice(0, cut).trim(), line.slice(cut + 1).trim()]
}
