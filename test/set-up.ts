/** Looks before all tests whether what they start can be started, so that one sentence says what is missing. */
import { findChromium } from './browser.ts'
import { withoutPostgres } from './postgres.ts'
import { ownerOf, postgresBinaries } from './postgres-binaries.ts'

/** What is missing for a whole run, a sentence each. */
export async function missingForTests(): Promise<string[]> {
  const looks = [withoutPostgres ? undefined : ownerOf().then(postgresBinaries), findChromium()]
  const looked = await Promise.allSettled(looks)
  return looked.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []))
}
