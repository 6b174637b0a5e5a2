/** Looks before all tests whether what they start can be started, so that one sentence says what is missing. */
import { mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChromium } from './browser.ts'
import { withoutPostgres } from './postgres.ts'
import { ownerOf, postgresBinaries } from './postgres-binaries.ts'

/** What is missing for a whole run, a sentence each. */
export async function missingForTests(): Promise<string[]> {
  const looks = [hasTemporary(), withoutPostgres ? undefined : ownerOf().then(postgresBinaries), findChromium()]
  const looked = await Promise.allSettled(looks)
  return looked.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []))
}

async function hasTemporary(): Promise<void> {
  const folder = tmpdir()
  const made = await mkdtemp(join(folder, 'set-up-')).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(
      `the tests need a folder for temporary files, and ${folder} cannot be written (${code}): set TMPDIR`,
    )
  })
  await rmdir(made)
}
