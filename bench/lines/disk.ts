/** How many bytes does an event take on disk? */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { alone, type Line } from '../line.ts'

export const disk: Line = {
  name: 'disk',
  question: 'How many bytes does an event take on disk?',
  peers: false,
  async run(bench) {
    const [few, many] = bench.quick ? [500, 5_000] : [10_000, 60_000]
    const taken = async (entries: number) => {
      const folder = await bench.backlog(entries)
      const files = (await readdir(folder)).filter((name) => !name.endsWith('.reserve'))
      const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size))
      return sizes.reduce((sum, size) => sum + size, 0)
    }
    // What every store has, however empty, is in both and so in neither.
    const bytes = ((await taken(many!)) - (await taken(few!))) / (many! - few!)
    return [alone('bytes on disk an event, of a webhook of 640 bytes, sealed and indexed', 'bytes', [bytes])]
  },
}
