/** The fixtures beside the event pages, `<type>.json`: a webhook as Drift posts it, and what must come of it. */
import { readdir, readFile } from 'node:fs/promises'
import { isObject, type JsonObject, readText } from '../lib/json.ts'

export interface Fixture {
  /** The whole webhook as Drift posts it. */
  drift: JsonObject
  /** What Drift answers about the webhook's conversation, without its `data` wrapper. */
  conversation?: JsonObject
  /** What Segment must get, without messageId, context and integrations; without timestamp where that is the receipt. */
  segment: JsonObject
}

export const eventsFolder = new URL('./', import.meta.url)

/** The types of all events that have a fixture, in the order of the alphabet. */
export async function fixtureTypes(folder: URL = eventsFolder): Promise<string[]> {
  const files = await readdir(folder)
  return files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [])).sort()
}

/** Reads one fixture from disk on each call, every digit kept. Throws when the catalogue has no event of that name. */
export async function readFixture(type: string, folder: URL = eventsFolder): Promise<Fixture> {
  const { value } = readText(await readFile(new URL(`${type}.json`, folder), 'utf8'))
  if (!isObject(value) || !isObject(value.drift)) throw new Error(`${type}.json holds no webhook under "drift"`)
  return value as unknown as Fixture
}
