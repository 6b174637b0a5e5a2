/** Where the version stands in the tree, and how all of these places are given another one. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { notesOf, withVersion } from './changelog.ts'

const number = /^\d+\.\d+\.\d+$/

/** In each file the version stands as often as there are patterns, each with two groups: what is before and behind it. */
const places: Readonly<Record<string, readonly RegExp[]>> = {
  'package.json': [/(^ {2}"version": ")[^"]+(")/m],
  'package-lock.json': [/(^ {2}"version": ")[^"]+(")/m, /(^ {6}"version": ")[^"]+(")/m],
  'packages/bridge/package.json': [/(^ {2}"version": ")[^"]+(")/m],
  'packages/bridge/src/plugin.ts': [/(^export const version = ')[^']+(')/m],
  'compose.yaml': [/(^ {4}image: drift-segment-source:)\S+()/m],
  'deploy/kubernetes/kustomization.yaml': [/(^ {4}newTag: )\S+()/m],
  'docs/install.md': [/(^git clone --branch v)\S+( )/m],
}

/** The version that each place names, by `file` or, where a file has several, `file 2`. */
export function versionsIn(root: string): Record<string, string | undefined> {
  const found = Object.entries(places).flatMap(([file, patterns]) => {
    const text = readFileSync(join(root, file), 'utf8')
    return patterns.map((pattern, at): [string, string | undefined] => {
      const [whole = '', before = '', after = ''] = pattern.exec(text) ?? []
      const version = whole.slice(before.length, whole.length - after.length)
      return [at === 0 ? file : `${file} ${at + 1}`, version === '' ? undefined : version]
    })
  })
  return Object.fromEntries(found)
}

/**
 * Names the version everywhere, gives it what CHANGELOG.md has under "Unreleased", and keeps the bridge's file, so that
 * pages that name its bytes go on. Throws, and changes nothing, when it is not a version above the present one, or a place
 * names none.
 */
export function setVersion(root: string, version: string, day: string): void {
  const present = versionsIn(root)
  const lacking = Object.entries(present).filter(([, one]) => one === undefined)
  if (lacking.length > 0) throw new Error(`no version is named in ${lacking.map(([place]) => place).join(', ')}`)
  if (!number.test(version)) throw new Error(`${version} is not a version such as 0.2.0`)
  if (!isAbove(version, present['package.json']!))
    throw new Error(`${version} is not above ${present['package.json']}, the present one`)
  const changelog = withVersion(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version, day)
  for (const [file, patterns] of Object.entries(places)) {
    const text = readFileSync(join(root, file), 'utf8')
    const changed = patterns.reduce((now, pattern) => now.replace(pattern, `$1${version}$2`), text)
    writeFileSync(join(root, file), changed)
  }
  writeFileSync(join(root, 'CHANGELOG.md'), changelog)
  const bridge = join(root, 'packages/bridge')
  mkdirSync(join(bridge, 'released'), { recursive: true })
  copyFileSync(join(bridge, 'built/bridge.min.js'), join(bridge, 'released', `${version}.min.js`))
}

/** What keeps a tree from being released as this version, a sentence for each. `isFrozen`: its schema has a sample store. */
export function notReady(root: string, version: string, isFrozen: boolean): string[] {
  const others = Object.entries(versionsIn(root)).filter(([, one]) => one !== version)
  const kept = `packages/bridge/released/${version}.min.js`
  const needs: readonly (readonly [isMet: boolean, otherwise: string])[] = [
    [
      notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version) !== undefined,
      'CHANGELOG.md has no notes of it',
    ],
    [isSame(join(root, kept), join(root, 'packages/bridge/built/bridge.min.js')), `${kept} is not the built bridge`],
    [isFrozen, 'its schema has no sample store (npm run freeze)'],
  ]
  return [
    ...others.map(([place, one]) => `${place} names ${one ?? 'no version'}`),
    ...needs.filter(([isMet]) => !isMet).map(([, otherwise]) => otherwise),
  ]
}

function isSame(a: string, b: string): boolean {
  try {
    return readFileSync(a).equals(readFileSync(b))
  } catch {
    return false
  }
}

function isAbove(version: string, present: string): boolean {
  const [a, b] = [version, present].map((one) => one.split('.').map(Number))
  const differs = a!.findIndex((part, at) => part !== b![at])
  return differs >= 0 && a![differs]! > (b![differs] ?? 0)
}
