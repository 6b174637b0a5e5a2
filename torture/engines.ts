/** The durable engines that can be tortured: where each keeps its store, and how a partner of its own is ended. */
import { join } from 'node:path'

export interface Engine {
  name: string
  /** For DATABASE_URL. */
  url: string
  close(): Promise<void>
}

export const engines: Record<string, (folder: string) => Promise<Engine>> = {
  sqlite: async (folder) => ({ name: 'sqlite', url: `sqlite:${join(folder, 'test.db')}`, close: async () => {} }),
}
