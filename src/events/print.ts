/** The catalogue for people and machines: one source, the pages, in the shapes that others read. */
import { z } from 'zod'
import { type EventPage, eventName } from './define.ts'

export const formats = ['table', 'json-schema', 'typescript', 'tracking-plan'] as const
export type Format = (typeof formats)[number]

export type Schema = Readonly<Record<string, unknown>>

/** What an event becomes, as it is printed. */
export interface Printed {
  readonly page: EventPage
  /** The name of a Track. */
  readonly event?: string
  /** The properties or traits by name, contactId among them. */
  readonly fields: Readonly<Record<string, Field>>
  /** Others may be there as well. */
  readonly isOpen: boolean
  /** Its messages may have a userId. */
  readonly hasUserId?: true
  /** What is in their context beside the integration. */
  readonly context?: Readonly<Record<string, Schema>>
  /** A second Track that goes with it. */
  readonly extra?: { readonly event: string; readonly fields: Readonly<Record<string, Field>> }
}

export interface Field {
  readonly schema: Schema
  /** Its name before any option. */
  readonly of: string
}

/** An event as it is with every option off. */
export function printedOf(page: EventPage): Printed {
  const fields = Object.entries(sentSchemas(page)).map(([name, schema]) => [name, { schema, of: name }])
  const event = page.call === 'track' ? { event: eventName(page) } : {}
  return { page, ...event, fields: Object.fromEntries(fields), isOpen: page.sends === 'attributes' }
}

export function printCatalogue(catalogue: ReadonlyMap<string, EventPage>, format: Format): string {
  return print([...catalogue.values()].map(printedOf), format)
}

/** What `drift-segment-source events --format …` prints. */
export function print(all: readonly Printed[], format: Format): string {
  switch (format) {
    case 'table':
      return table(all)
    case 'json-schema':
      return JSON.stringify(jsonSchema(all), undefined, 2)
    case 'typescript':
      return typescript(all)
    case 'tracking-plan':
      return JSON.stringify(trackingPlan(all), undefined, 2)
  }
}

/** A Markdown table that also reads well as it stands. */
function table(all: readonly Printed[]): string {
  const rows = [
    ['Drift event', 'when', 'call', 'contactId from', 'sent beside contactId', 'time'],
    ...all.flatMap(({ page, event, fields, isOpen, extra }) => {
      const row = (call: string, sent: string) => [page.type, page.when, call, page.from, sent, page.at]
      const isOwn = event === undefined || event === eventName(page)
      return [
        row(isOwn ? page.call : `track ${event}`, isOpen ? 'every attribute that changed' : sentNames(fields)),
        ...(extra ? [row(`track ${extra.event}`, sentNames(extra.fields))] : []),
      ]
    }),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const [head, ...body] = rows.map(line)
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n')
}

/** JSON Schema (draft 2020-12) of the webhooks' `data` and of the Segment messages, by event type. */
function jsonSchema(all: readonly Printed[]): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $defs: Object.fromEntries(
      all.flatMap((one) => [
        [`${one.page.type}.data`, schemaOf(one.page.data)],
        [`${one.page.type}.message`, messageSchema(one, one)],
        ...(one.extra ? [[`${one.page.type}.with`, messageSchema(one, { ...one.extra, isOpen: false })]] : []),
      ]),
    ),
  }
}

/** A Segment tracking plan: the body of `PUT /tracking-plans/{id}/rules` of Segment's Public API. */
function trackingPlan(all: readonly Printed[]): { rules: Schema[] } {
  const rule = (type: string, key: string, jsonSchema: Schema) => ({
    type,
    key,
    version: 1,
    jsonSchema: { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', ...jsonSchema },
  })
  const tracks = all.flatMap(({ page, event, fields, extra }) => [
    ...(event === undefined ? [] : [{ page, event, fields }]),
    ...(extra ? [{ page, ...extra }] : []),
  ])
  const traits = Object.assign({}, ...all.filter(({ event }) => event === undefined).map(({ fields }) => fields))
  const { hasUserId, context } = commonOf(all)
  return {
    rules: [
      ...tracks.map(({ page, event, fields }) => {
        const required = fields.contactId ? { required: ['contactId'] } : {}
        const properties = { type: 'object', properties: withNull(fields), ...required }
        const message = { context: {}, traits: {}, properties }
        return rule('TRACK', event, { description: sentence(page.when), properties: message })
      }),
      rule('IDENTIFY', '', {
        properties: { context: {}, properties: {}, traits: { type: 'object', properties: withNull(traits) } },
      }),
      rule('COMMON', '', {
        properties: {
          anonymousId: { type: 'string' },
          ...(hasUserId ? { userId: { type: 'string' } } : {}),
          messageId: { type: 'string', maxLength: 100 },
          context: { type: 'object', ...(context ? { properties: context } : {}) },
        },
        required: ['anonymousId'],
      }),
    ],
  }
}

/** Types of the Segment messages, one interface for each event and a union of all. */
function typescript(all: readonly Printed[]): string {
  const titled = (type: string) => type.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const messages = all.flatMap(({ page, event, fields, isOpen, extra }) => [
    { page, name: titled(page.type), event, fields, isOpen },
    ...(extra ? [{ page, name: `${titled(page.type)}With`, ...extra, isOpen: false }] : []),
  ])
  const interfaces = messages.map(({ page, name, event, fields, isOpen }) =>
    [
      `/** ${sentence(page.when)} */`,
      `export interface ${name} extends Message {`,
      `  type: '${event === undefined ? 'identify' : 'track'}'`,
      ...(event === undefined ? [] : [`  event: ${quoted(event)}`]),
      `  ${event === undefined ? 'traits' : 'properties'}: {`,
      ...Object.entries(fields).map(
        ([field, { schema }]) => `    ${fieldName(field)}${field === 'contactId' ? '' : '?'}: ${typeName(schema)}`,
      ),
      ...(isOpen ? ['    [attribute: string]: unknown'] : []),
      '  }',
      '}',
    ].join('\n'),
  )
  const { hasUserId, context = {} } = commonOf(all)
  const added = Object.entries(context).map(([name, schema]) => `; ${name}?: ${typeName(schema)}`)
  const message = [
    'export interface Message {',
    '  anonymousId: string',
    ...(hasUserId ? ['  userId?: string'] : []),
    '  messageId: string',
    '  timestamp: string',
    `  context: { integration: { name: string; version: string }${added.join('')} }`,
    '  integrations: { Drift: false }',
    '}',
  ].join('\n')
  const union = `export type DriftSourceMessage = ${messages.map(({ name }) => name).join(' | ')}`
  return [message, ...interfaces, union].join('\n\n')
}

function quoted(text: string): string {
  return /['\\]/.test(text) ? JSON.stringify(text) : `'${text}'`
}

function fieldName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

/** What options add to every message alike. */
function commonOf(all: readonly Printed[]): Pick<Printed, 'hasUserId' | 'context'> {
  return all.find(({ hasUserId, context }) => hasUserId || context) ?? {}
}

function sentNames(fields: Printed['fields']): string {
  return Object.keys(fields)
    .filter((name) => name !== 'contactId')
    .join(' ')
}

function messageSchema(
  { hasUserId, context }: Printed,
  { event, fields, isOpen }: Pick<Printed, 'event' | 'fields' | 'isOpen'>,
): Schema {
  const said = {
    type: 'object',
    properties: schemasIn(fields),
    ...(fields.contactId ? { required: ['contactId'] } : {}),
    additionalProperties: isOpen,
  }
  const common = {
    anonymousId: { type: 'string' },
    ...(hasUserId ? { userId: { type: 'string' } } : {}),
    messageId: { type: 'string' },
    timestamp: { type: 'string' },
    ...(context ? { context: { type: 'object', properties: context } } : {}),
  }
  return event === undefined
    ? { type: 'object', properties: { type: { const: 'identify' }, ...common, traits: said } }
    : { type: 'object', properties: { type: { const: 'track' }, event: { const: event }, ...common, properties: said } }
}

function schemasIn(fields: Printed['fields']): Record<string, Schema> {
  return Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))
}

/** The documented schema of everything that is sent, by name. */
function sentSchemas(page: EventPage): Record<string, Schema> {
  const names = page.sends === 'attributes' ? [] : page.sends
  const shape = page.data.shape as Record<string, z.ZodType>
  const schemas = names.map((name) => [name, schemaOf(page.renamed?.[name] ?? shape[name]!)] as const)
  return { contactId: { type: 'integer' }, ...Object.fromEntries(schemas) }
}

/** What Drift documents, not how leniently it is read. */
function schemaOf(type: z.ZodType): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, {
    unrepresentable: 'any',
    io: 'input',
    override({ jsonSchema }) {
      const { documented } = jsonSchema
      if (documented === undefined) return
      for (const name of Object.keys(jsonSchema)) if (name !== 'description') delete jsonSchema[name]
      Object.assign(
        jsonSchema,
        documented === 'integers' ? { type: 'array', items: { type: 'integer' } } : { type: documented },
      )
    },
  })
  // `nullish` objects and arrays are an anyOf with null: the documented part is the other one.
  const documented = (schema.anyOf as Schema[] | undefined)?.find((one) => one.type !== 'null')
  return documented ?? schema
}

/** Segment's warehouses and Protocols meet nulls: everything but the contact's id may be one. */
function withNull(fields: Printed['fields']): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(schemasIn(fields)).map(([name, schema]) => {
      const scalar = typeof schema.type === 'string' && schema.type !== 'object' && schema.type !== 'array'
      return [name, scalar && name !== 'contactId' ? { ...schema, type: [schema.type, 'null'] } : schema]
    }),
  )
}

function typeName(schema: Schema): string {
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type === 'array') return `${typeName(schema.items as Schema)}[]`
  if (schema.type !== 'object') return String(schema.type ?? 'unknown')
  const { additionalProperties } = schema
  if (typeof additionalProperties === 'object') return `Record<string, ${typeName(additionalProperties as Schema)}>`
  const fields = Object.entries(schema.properties as Record<string, Schema>)
  return `{ ${fields.map(([name, inner]) => `${name}?: ${typeName(inner)}`).join('; ')} }`
}

function sentence(when: string): string {
  return `${when.slice(0, 1).toUpperCase()}${when.slice(1)}.`
}
