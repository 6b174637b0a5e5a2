/** What erasing waits for once the rows are gone, before it answers: the holders of leases, the texts, and the engine's files. */
import type { Keyring } from '../accounts/keyring.ts'
import { type Clock, pause } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import type { Purged, Storage } from '../storage/ports/storage.ts'
import { trimBodies } from './trim.ts'

/** For so long a lease's holder goes by the store's last answer that the lease is its own. */
export const trustMs = 2_000

/** How long a command waits for those who keep the engine from emptying its log. */
const usualPatienceMs = 30_000
const retryMs = 250

/**
 * Resolves when no process will begin a request with what was erased, since its holders have asked the store again by
 * then, and nothing of it can be read in the engine's files; or to what is still missing from that.
 */
export async function untilGone(
  { storage, keyring, clock }: { storage: Pick<Storage, 'purge' | 'inbox'>; keyring: Keyring; clock: Clock },
  patienceMs = usualPatienceMs,
): Promise<Purged> {
  await pause(clock, trustMs)
  await trimBodies({ inbox: storage.inbox, keyring, clock })
  const giveUpAt = clock.monotonic() + patienceMs
  for (;;) {
    const purged = await storage.purge()
    if (purged !== 'log_held' || clock.monotonic() >= giveUpAt) return purged
    await pause(clock, retryMs)
  }
}

/** For a command that has erased: the rows are gone, and it still cannot say that nothing can be read. */
export function assertGone(purged: Purged): void {
  if (purged === 'done') return
  const [where, hint] =
    purged === 'log_held'
      ? [
          "the store's log still has it, because another process reads an older state",
          'the service empties the log by itself when that has ended; `doctor` says when it is done',
        ]
      : [
          'copies may lie inside the file of a store this large',
          'stop the service at a quiet hour and run `npx drift-segment-source compact`',
        ]
  throw new Problem('erase_pending', `erased, and nothing of it is sent any more; but ${where}`, { hint, exitCode: 75 })
}
