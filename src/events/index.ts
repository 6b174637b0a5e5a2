/** The catalogue: one page a file, found by its folder. A page is a module with a fixture of the same name beside it. */
import { readdir } from 'node:fs/promises'
import type { EventPage } from './define.ts'
import { eventsFolder, fixtureTypes } from './fixtures.ts'

/** Every page of a folder by its event's type; throws when a page is not what its file's name says. */
export async function loadCatalogue(folder: URL): Promise<ReadonlyMap<string, EventPage>> {
  const [files, types] = await Promise.all([readdir(folder), fixtureTypes(folder)])
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

export const catalogue = await loadCatalogue(eventsFolder)

/** Whether there is an event that could be sent as it was mapped at its receipt. */
export const hasEarlierMappings = [...catalogue.values()].some(({ earlier }) => earlier !== undefined)
