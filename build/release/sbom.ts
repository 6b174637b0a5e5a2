/** What a package is made of, as CycloneDX says it: npm's own list, with nothing in it that differs from run to run. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { npm } from './npm.ts'

interface Sbom {
  serialNumber: string
  metadata: { timestamp: string }
}
interface Lock {
  packages: Record<string, { dev?: true; devDependencies?: object }>
}

/**
 * Of the package in this folder: itself and what its lockfile pins for production; without a lockfile, itself alone.
 * `madeAt`: when the version was committed. The same folder and time give the same text.
 */
export function sbomOf(folder: string, madeAt: Date): string {
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as object
  const { devDependencies: _, ...manifest } = read('package.json') as { name: string; devDependencies?: object }
  const isLocked = existsSync(join(folder, 'package-lock.json'))
  const parent = mkdtempSync(join(tmpdir(), 'sbom-'))
  // npm calls what it lists by the name of its folder.
  const scratch = join(parent, manifest.name)
  try {
    mkdirSync(scratch)
    writeFileSync(join(scratch, 'package.json'), JSON.stringify(manifest))
    // `npm sbom --omit=dev` (11.19) also leaves out what production and development both need, such as pg.
    if (isLocked)
      writeFileSync(join(scratch, 'package-lock.json'), JSON.stringify(production(read('package-lock.json') as Lock)))
    const sbom = JSON.parse(
      npm(scratch, 'sbom', '--sbom-format=cyclonedx', ...(isLocked ? ['--package-lock-only'] : [])),
    ) as Sbom
    const steady = { ...sbom, serialNumber: '', metadata: { ...sbom.metadata, timestamp: madeAt.toISOString() } }
    return `${JSON.stringify({ ...steady, serialNumber: serialOf(JSON.stringify(steady)) }, null, 2)}\n`
  } finally {
    rmSync(parent, { recursive: true })
  }
}

/** The lockfile as it would be without what only developers need. */
function production(lock: Lock): Lock {
  const kept = Object.entries(lock.packages).filter(([, { dev }]) => !dev)
  return { ...lock, packages: Object.fromEntries(kept.map(([path, { devDependencies: _, ...one }]) => [path, one])) }
}

/** A UUID that follows from what is listed (RFC 9562, version 8). */
function serialOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)]
  return `urn:uuid:${parts.join('-')}`
}
