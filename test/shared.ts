/** What a whole run starts once: a PostgreSQL and a browser, for every test file that does not stop or change its own. */
import { launchSharedBrowser, sharedBrowser } from './browser.ts'
import { sharedPostgres, startPostgres, withoutPostgres } from './postgres.ts'

interface Shared {
  /** What leads test files to them. */
  env: Record<string, string>
  close(): Promise<void>
}

/**
 * Test files that run at once have many connections each. None of them ends this server as if its power had gone (those
 * that do have one of their own), so nothing waits for the disk: a new database is there in half the time.
 */
const settings = ['max_connections=400', 'fsync=off']

export async function startShared(): Promise<Shared> {
  const starting = [withoutPostgres ? undefined : startPostgres(settings), launchSharedBrowser()] as const
  const [postgres, browser] = await Promise.all(starting).catch(async (error: unknown) => {
    // What has started would keep the run from ending.
    const started = await Promise.allSettled(starting)
    await Promise.all(started.map((one) => one.status === 'fulfilled' && one.value?.close()))
    throw error
  })
  return {
    env: { [sharedBrowser]: browser.wsEndpoint(), ...(postgres ? { [sharedPostgres]: postgres.url } : {}) },
    close: async () => void (await Promise.all([postgres?.close(), browser.close()])),
  }
}
