/** CHANGELOG.md: a heading for each version, newest first, with what is to come under "Unreleased". */

const unreleased = '## Unreleased'

/** What a version changes, as Markdown: the text under its heading; undefined where there is none. */
export function notesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^(?=## )/m)
  const found = sections.find((section) => /^## (\S+?),? /.exec(section)?.[1] === version)
  return found?.slice(found.indexOf('\n')).trim() || undefined
}

/** The versions that have a heading, newest first. */
export function releasedVersions(changelog: string): string[] {
  return [...changelog.matchAll(/^## (\d+\.\d+\.\d+)/gm)].map(([, version]) => version!)
}

/** Everything under "Unreleased" becomes this version's, of this day (as 2026-11-26). Throws where nothing stands there. */
export function withVersion(changelog: string, version: string, day: string): string {
  const [before, after = ''] = changelog.split(`\n${unreleased}\n`, 2)
  if (after.split(/^## /m)[0]!.trim() === '') throw new Error(`CHANGELOG.md says nothing under "${unreleased}"`)
  return `${before}\n${unreleased}\n\n## ${version}, ${day}\n${after}`
}
