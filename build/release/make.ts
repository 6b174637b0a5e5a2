/** Everything that is published of a version, made from its tag and nothing else. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFrozen } from '../../test/storage/frozen.ts'
import { notesOf } from './changelog.ts'
import { npm, run } from './npm.ts'
import { sbomOf } from './sbom.ts'
import { notReady } from './version.ts'

export interface ReleaseOptions {
  /** The repository, and the tag, such as v0.2.0. */
  root: string
  tag: string
  /** A folder that is empty or not there. */
  into: string
  /** False: without the container image, for a machine that has no container engine. */
  image?: boolean
  /** Called with the clone of the tag, before anything is made of it. */
  cloned?: (clone: string) => void
  said?: (line: string) => void
}

/**
 * Makes two npm packages with an SBOM each, the image, the notes, and SHA256SUMS of all of them. Throws when the tag does
 * not exist or its tree is not ready, with everything that is wrong, before anything is made.
 */
export function makeRelease({ root, tag, into, image = true, cloned, said = () => {} }: ReleaseOptions): void {
  const version = /^v(\d+\.\d+\.\d+)$/.exec(tag)?.[1]
  if (version === undefined) throw new Error(`${tag || 'nothing'} is not a tag such as v0.2.0`)
  if (existsSync(into) && readdirSync(into).length > 0) throw new Error(`${into} has something in it already`)
  const scratch = mkdtempSync(join(tmpdir(), 'release-'))
  try {
    const clone = join(scratch, 'clone')
    // A clone, so that nothing that is not committed can get in.
    run(root, 'git', 'clone', '--quiet', '--branch', tag, '--depth', '1', `file://${root}`, clone)
    const wrong = notReady(clone, version, isFrozen(clone))
    if (wrong.length > 0) throw new Error([`${tag} is not ready to be released:`, ...wrong].join('\n  '))
    cloned?.(clone)
    mkdirSync(into, { recursive: true })
    const madeAt = new Date(Number(run(clone, 'git', 'log', '-1', '--format=%ct')) * 1_000)
    for (const folder of [clone, join(clone, 'packages/bridge')]) {
      const [packed] = JSON.parse(npm(folder, 'pack', '--json', '--pack-destination', into)) as { filename: string }[]
      const sbom = packed!.filename.replace(/\.tgz$/, '.sbom.json')
      writeFileSync(join(into, sbom), sbomOf(folder, madeAt))
      said(`${packed!.filename}, ${sbom}`)
    }
    if (image) said(makeImage(clone, version, into))
    writeFileSync(join(into, 'notes.md'), `${notesOf(readFileSync(join(clone, 'CHANGELOG.md'), 'utf8'), version)}\n`)
    writeFileSync(join(into, 'SHA256SUMS'), checksumsOf(into))
    said('notes.md, SHA256SUMS')
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** As `docker save` writes it; gives the name of the file. */
function makeImage(clone: string, version: string, into: string): string {
  const [name, file] = [`drift-segment-source:${version}`, `drift-segment-source-${version}.image.tar`]
  run(clone, 'docker', 'build', '--quiet', '--tag', name, '.')
  run(clone, 'docker', 'save', '--output', join(into, file), name)
  return file
}

/** As `sha256sum --check` reads it. */
function checksumsOf(folder: string): string {
  const lines = readdirSync(folder)
    .sort()
    .map((file) => {
      const sum = createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex')
      return `${sum}  ${file}\n`
    })
  return lines.join('')
}
