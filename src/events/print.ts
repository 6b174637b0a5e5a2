/** The catalogue for people and machines: one source, the pages, in the shapes that others read. */
import { z } from 'zod'
import { type EventPage, eventName } from './define.ts'

export const formats = ['table', 'json-schema', 'typescript', 'tracking-plan'] as const
export type Format = (typeof formats)[number]

/** What `drift-segment-source events --format …` prints. */
export function printCatalogue(catalogue: ReadonlyMap<string, EventPage>, format: Format): string {
  const pages = [...catalogue.values()]
  switch (format) {
    case 'table':
      return table(pages)
    case 'json-schema':
      return JSON.stringify(jsonSchema(pages), undefined, 2)
    case 'typescript':
      return typescript(pages)
    case 'tracking-plan':
      return JSON.stringify(trackingPlan(pages), undefined, 2)
  }
}

/** A Markdown table that also reads well as it stands. */
export function table(pages: readonly EventPage[]): string {
  const rows = [
    ['Drift event', 'when', 'call', 'contactId from', 'sent beside contactId', 'time'],
    ...pages.map((page) => [page.type, page.when, page.call, page.from, sentNames(page), page.at]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const [head, ...body] = rows.map(line)
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n')
}

type Schema = Record<string, unknown>

/** JSON Schema (draft 2020-12) of the webhooks' `data` and of the Segment messages, by event type. */
export function jsonSchema(pages: readonly EventPage[]): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $defs: Object.fromEntries(
      pages.flatMap((page) => [
        [`${page.type}.data`, schemaOf(page.data)],
        [`${page.type}.message`, messageSchema(page)],
      ]),
    ),
  }
}

/** A Segment tracking plan: the body of `PUT /tracking-plans/{id}/rules` of Segment's Public API. */
export function trackingPlan(pages: readonly EventPage[]): { rules: Schema[] } {
  const rule = (type: string, key: string, jsonSchema: Schema) => ({
    type,
    key,
    version: 1,
    jsonSchema: { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', ...jsonSchema },
  })
  const traits = Object.assign({}, ...pages.filter(({ call }) => call === 'identify').map(sentSchemas))
  return {
    rules: [
      ...pages
        .filter(({ call }) => call === 'track')
        .map((page) => {
          const properties = { type: 'object', properties: withNull(sentSchemas(page)), required: ['contactId'] }
          const message = { context: {}, traits: {}, properties }
          return rule('TRACK', eventName(page), { description: sentence(page.when), properties: message })
        }),
      rule('IDENTIFY', '', {
        properties: { context: {}, properties: {}, traits: { type: 'object', properties: withNull(traits) } },
      }),
      rule('COMMON', '', {
        properties: {
          anonymousId: { type: 'string' },
          messageId: { type: 'string', maxLength: 100 },
          context: { type: 'object' },
        },
        required: ['anonymousId'],
      }),
    ],
  }
}

/** Types of the Segment messages, one interface for each event and a union of all. */
export function typescript(pages: readonly EventPage[]): string {
  const name = (page: EventPage) => page.type.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const interfaces = pages.map((page) => {
    const fields = Object.entries(sentSchemas(page)).map(([field, schema]) => {
      return `    ${field}${field === 'contactId' ? '' : '?'}: ${typeName(schema)}`
    })
    const open = page.sends === 'attributes' ? ['    [attribute: string]: unknown'] : []
    const event = page.call === 'track' ? [`  event: '${eventName(page)}'`] : []
    const said = page.call === 'track' ? 'properties' : 'traits'
    return [
      `/** ${sentence(page.when)} */`,
      `export interface ${name(page)} extends Message {`,
      `  type: '${page.call}'`,
      ...event,
      `  ${said}: {`,
      ...fields,
      ...open,
      '  }',
      '}',
    ].join('\n')
  })
  const message = [
    'export interface Message {',
    '  anonymousId: string',
    '  messageId: string',
    '  timestamp: string',
    '  context: { integration: { name: string; version: string } }',
    '  integrations: { Drift: false }',
    '}',
  ].join('\n')
  const union = `export type DriftSourceMessage = ${pages.map(name).join(' | ')}`
  return [message, ...interfaces, union].join('\n\n')
}

export function sentNames(page: EventPage): string {
  return page.sends === 'attributes' ? 'every attribute that changed' : page.sends.join(' ')
}

function messageSchema(page: EventPage): Schema {
  const said = {
    type: 'object',
    properties: sentSchemas(page),
    required: ['contactId'],
    additionalProperties: page.sends === 'attributes',
  }
  const common = { anonymousId: { type: 'string' }, messageId: { type: 'string' }, timestamp: { type: 'string' } }
  return page.call === 'track'
    ? {
        type: 'object',
        properties: { type: { const: 'track' }, event: { const: eventName(page) }, ...common, properties: said },
      }
    : { type: 'object', properties: { type: { const: 'identify' }, ...common, traits: said } }
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
function withNull(schemas: Record<string, Schema>): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const scalar = typeof schema.type === 'string' && schema.type !== 'object' && schema.type !== 'array'
      return [name, scalar && name !== 'contactId' ? { ...schema, type: [schema.type, 'null'] } : schema]
    }),
  )
}

function typeName(schema: Schema): string {
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type === 'array') return `${typeName(schema.items as Schema)}[]`
  if (schema.type !== 'object') return String(schema.type)
  const fields = Object.entries(schema.properties as Record<string, Schema>)
  return `{ ${fields.map(([name, inner]) => `${name}?: ${typeName(inner)}`).join('; ')} }`
}

function sentence(when: string): string {
  return `${when.slice(0, 1).toUpperCase()}${when.slice(1)}.`
}
