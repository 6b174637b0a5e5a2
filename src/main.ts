/**
 * Reads the command line and starts; nothing imports it. The rest is loaded only once it is certain that this Node can run
 * it, so that a sentence is said instead of a stack trace. (Node 20 refuses a file named .ts before it reads it.)
 */
const nodeMin = 24

async function start(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < nodeMin) {
    refuse(`this is Node ${process.versions.node}, and the service needs Node ${nodeMin} or newer`)
    return
  }
  const loaded = await load()
  if (loaded) process.exitCode = await loaded.run(process.argv.slice(2), loaded)
}

async function load() {
  try {
    const { run } = await import('./cli/index.ts')
    const { openStore, openService } = await import('./service.ts')
    const { compactStore, moveStore } = await import('./storage/open.ts')
    return { run, openStore, openService, compactStore, moveStore }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    // Ours are relative: what is found by its name is a package.
    const isPackage = code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find package/.test(message)
    if (!isPackage) throw error
    refuse('the packages are not installed here')
    return undefined
  }
}

/** Exits as a wrong setting does: nothing was begun. */
function refuse(why: string): void {
  process.stderr.write(
    `${why}\n  what to do: npm start, or npx drift-segment-source --help, which bring what is missing\n`,
  )
  process.exitCode = 78
}

await start()
