/** The catalogue: one page a file, found by its folder. A page is a module with a fixture of the same name beside it. */
import { readdir, readFile } from 'node:fs/promises'
import { isObject, type JsonObject, readText } from '../lib/json.ts'
import type { EventPage } from './define.ts'

export interface Fixture {
  /** The whole webhook as Drift posts it. */
  drift: JsonObject
  /** What Drift answers when it is asked for the conversation. */
  conversation?: JsonObject
  /** What Segment must get, without messageId, context and integrations; without timestamp where that is the receipt. */
  segment: JsonObject
}

const here = new URL('./', import.meta.url)

/** Every page of a folder by its event's type; throws when a page is not what its file's name says. */
export async function loadCatalogue(folder: URL): Promise<ReadonlyMap<string, EventPage>> {
  const files = await readdir(folder)
  const types = files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [])).sort()
  const pages = await Promise.all(types.map((type) => loadPage(folder, type, files)))
  return new Map(pages.map((page) => [page.type, page]))
}

async function loadPage(folder: URL, type: string, files: readonly string[]): Promise<EventPage> {
  const file = [`${type}.ts`, `${type}.js`].find((name) => files.includes(name))
  if (!file) throw new Error(`${type}.json has no page: add ${type}.ts beside it`)
  const { default: page } = (await import(new URL(file, folder).href)) as { default?: EventPage }
  if (page?.type === type) return page
  throw new Error(`${file} must export by default the page of an event whose type is "${type}", as the file is named`)
}

export async function fixtureOf(type: string, folder: URL = here): Promise<Fixture> {
  const reading = readText(await readFile(new URL(`${type}.json`, folder), 'utf8'))
  if (reading.ok && isObject(reading.value)) return reading.value as unknown as Fixture
  throw new Error(`${type}.json is no JSON object`)
}

export const catalogue = await loadCatalogue(here)

/** Whether there is an event that could be sent as it was mapped at its receipt. */
export const hasEarlierMappings = [...catalogue.values()].some(({ earlier }) => earlier !== undefined)
