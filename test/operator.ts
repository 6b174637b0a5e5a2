/**
 * An operator at a machine: the commands of a document, run by bash in the program's folder, beside the real service and
 * the two simulators. Ports and folders of the documents become those of this run. For systemd, which no test may have, a
 * script stands in that really starts and stops the service.
 */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAlertReceiver } from '../src/sim/alert-receiver.ts'
import { type Sims, startSims } from '../src/sim/index.ts'
import { bareEnv, endChild, ended, startChild } from './children.ts'
import { freePort } from './free-port.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** The account of the documents. */
export const documentOrg = 12_345
const writeKey = 'AbCdEfGhIjKlMnOpQrStUvWxYz012345'
/** The group of the service's user: for root one that files of root's do not have by themselves. */
export const serviceGroup = process.getuid?.() === 0 ? 65_534 : (process.getgid?.() ?? 0)
const portsInDocuments = [8080, 8081, 9464, 4010, 4020, 4030]

export interface Operator {
  folder: string
  sims: Sims
  /** Where the service listens, once it runs. */
  url: string
  /** Runs commands; resolves to how the last of them ended and all that they printed. */
  run(commands: string): Promise<{ code: number | NodeJS.Signals; output: string }>
  /** Ends everything that was started, and removes the folder. */
  close(): Promise<void>
}

export interface OperatorOptions {
  /** What else the documents write, and what it is here. */
  here?: Readonly<Record<string, string>>
  /** False: the document starts simulators of its own, and the environment names none. */
  partners?: boolean
}

/** Resolves once the simulators run. */
export async function startOperator({ here: more = {}, partners = true }: OperatorOptions = {}): Promise<Operator> {
  const folder = mkdtempSync(join(tmpdir(), 'operator-test-'))
  for (const name of ['bin', 'blocks', 'var', 'backups', 'units']) mkdirSync(join(folder, name))
  for (const name of ['deploy', 'package.json']) symlinkSync(join(root, name), join(folder, name))
  writePrograms(join(folder, 'bin'))
  const sims = await startSims({ segment: { port: await freePort() } })
  const { drift } = sims
  drift.addOrg({ orgId: documentOrg })
  const grant = drift.issueToken(documentOrg)
  const receiver = await startAlertReceiver()
  const ports = await Promise.all(
    portsInDocuments.map(async (port) => [`127.0.0.1:${port}`, await freePort()] as const),
  )
  const here: readonly (readonly [string, string])[] = [
    ...ports.map(([written, port]) => [written, `127.0.0.1:${port}`] as const),
    ...ports.map(([written, port]) => [`-port ${written.split(':')[1]}`, `-port ${port}`] as const),
    ['source@8081', `source@${ports[1]![1]}`],
    ['-o drift-segment-source ', `-o ${process.getuid?.() ?? ''} `],
    ['-g drift-segment-source ', `-g ${serviceGroup} `],
    ['chgrp drift-segment-source ', `chgrp ${serviceGroup} `],
    ['--control 4030', `--control ${ports[5]![1]}`],
    ['/var/backups/drift-segment-source', join(folder, 'backups')],
    ['/var/lib/drift-segment-source', join(folder, 'var')],
    ['/etc/systemd/system', join(folder, 'units')],
    ['/etc/cron.d', join(folder, 'units')],
    ['"accessToken":"…"', `"accessToken":"${grant.accessToken}"`],
    ['"refreshToken":"…"', `"refreshToken":"${grant.refreshToken}"`],
    ['"writeKey":"…"', `"writeKey":"${writeKey}"`],
    ['NEW-VERIFICATION-TOKEN', 'nT4kW9xQz2bV'],
    ['https://alerts.example.com/NEW-ADDRESS', receiver.url],
    ['NEW-CLIENT-SECRET', drift.settings.clientSecret],
    ['CLIENT-ID', drift.settings.clientId],
    ['CLIENT-SECRET', drift.settings.clientSecret],
    ['VERIFICATION-TOKEN', drift.settings.verificationToken],
    ...Object.entries(more),
  ]
  const env = {
    ...bareEnv,
    PATH: [join(folder, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: folder,
    PORT: String(ports[0]![1]),
    METRICS_PORT: String(ports[2]![1]),
    ...(partners ? addressesOf(sims) : {}),
  }
  const started: ReturnType<typeof startChild>[] = []
  return {
    folder,
    sims,
    url: `http://127.0.0.1:${env.PORT}`,
    async run(commands) {
      const path = join(folder, 'blocks', String(started.length + 1))
      writeFileSync(
        path,
        here.reduce((text, [written, is]) => text.replaceAll(written, is), commands),
      )
      // A file: what a block leaves running would keep a pipe open.
      const output = openSync(`${path}.out`, 'w')
      const args = ['--noprofile', '--norc', '-eo', 'pipefail', path]
      const child = startChild('bash', args, { cwd: folder, env, stdio: ['ignore', output, output] })
      closeSync(output)
      started.push(child)
      const code = await ended(child)
      return { code, output: readFileSync(`${path}.out`, 'utf8') }
    },
    async close() {
      await Promise.all(started.map((child) => endChild(child)))
      await Promise.all([sims.close(), receiver.close()])
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

function addressesOf({ drift, segment }: Sims) {
  return {
    DRIFT_API_URL: drift.url,
    DRIFT_AUTHORIZE_URL: drift.authorizeUrl,
    DRIFT_SETTINGS_URL: `${drift.url}/settings/apps`,
    SEGMENT_API_URL_US: segment.url,
    SEGMENT_API_URL_EU: segment.url,
    SEGMENT_CDN_URL: segment.url,
  }
}

/** `npx` is the project as it stands here; `systemctl` does with the units, which may be called by a port, what the documents need. */
function writePrograms(folder: string): void {
  const command = `'${process.execPath}' --disable-warning=ExperimentalWarning --disable-sigusr1 '${root}src/main.ts'`
  const programs = {
    npx: `[ "$1" = drift-segment-source ] || exit 127
shift
exec ${command} "$@"`,
    // The shell between waits for the service, so that no process is left that has ended and is still listed.
    systemctl: `for last; do unit=$last; done
case $unit in *@*) PORT=\${unit#*@} METRICS_PORT=0 && export PORT METRICS_PORT; esac
case $1 in stop | restart)
  if [ -f "$unit.pid" ]; then
    read -r pid < "$unit.pid"
    kill "$pid"
    while [ -f "$unit.pid" ]; do sleep 0.05; done
  fi
esac
case $1 in start | restart | enable)
  touch "$unit.pid"
  { ${command} serve & echo $! > "$unit.pid"; wait; rm -f "$unit.pid"; } >> "$unit.log" 2>&1 < /dev/null &
  while [ ! -s "$unit.pid" ] && [ -f "$unit.pid" ]; do sleep 0.05; done
esac`,
    journalctl: 'cat drift-segment-source.log',
  }
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
}
