/** deploy/nginx.conf with a real nginx, a certificate and two processes behind it, where this machine has nginx. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Sims, startSims } from '../../src/sim/index.ts'
import { endChild, startChild } from '../children.ts'
import { eventually } from '../clock.ts'
import { freePort } from '../free-port.ts'
import { openssl, withoutOpenssl } from '../openssl.ts'
import { usePostgres, withoutPostgres } from '../postgres.ts'
import { org, runCommand, settingsFor, writeKey } from '../rig.ts'
import { root, type Served, serve } from '../serve.ts'

const env = { ...process.env, PATH: [process.env.PATH, '/usr/sbin'].join(delimiter) }
const isHere = spawnSync('nginx', ['-v'], { env }).error === undefined
const skip = (!isHere && 'there is no nginx here (Debian: apt-get install nginx)') || withoutOpenssl || withoutPostgres

describe('behind nginx as deploy/nginx.conf has it', { skip, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-test-'))
  let nginx: ReturnType<typeof startChild>
  let sims: Sims
  let served: Served[]
  let port: number

  before(async () => {
    sims = await startSims({ segment: { port: await freePort() } })
    const given = { ...settingsFor(sims, folder), DATABASE_URL: await (await usePostgres()).fresh() }
    sims.drift.addOrg({ orgId: org })
    const secrets = JSON.stringify({ accessToken: sims.drift.privateToken(org), writeKey })
    await runCommand(given, 'installs add', { given: { org: String(org) }, stdin: secrets })
    served = await Promise.all([serve(given), serve(given)])
    port = await freePort()
    nginx = startNginx()
    await eventually(() =>
      ask('/ready').then(
        ({ status }) => status === 200,
        () => false,
      ),
    )
  })
  after(async () => {
    if (nginx) await endChild(nginx, 'SIGTERM')
    await Promise.all(served.map((one) => one.stop()))
    await sims.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The file as it is, but for the places that are this machine's. */
  function startNginx(): ReturnType<typeof startChild> {
    openssl(
      `req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=source.example.com`,
      folder,
    )
    const here: readonly (readonly [string | RegExp, string])[] = [
      [/ {2}listen \[::\].*\n/, ''],
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['127.0.0.1:8080', new URL(served[0]!.url).host],
      ['127.0.0.1:8081', new URL(served[1]!.url).host],
      [/ssl_certificate .*;/, `ssl_certificate ${join(folder, 'cert.pem')};`],
      [/ssl_certificate_key .*;/, `ssl_certificate_key ${join(folder, 'key.pem')};`],
    ]
    const text = readFileSync(join(root, 'deploy/nginx.conf'), 'utf8')
    const site = here.reduce((now, [written, is]) => {
      const changed = now.replace(written, is)
      assert.notEqual(changed, now, `deploy/nginx.conf has ${written}`)
      return changed
    }, text)
    mkdirSync(join(folder, 'temporary'))
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(folder, 'temporary', name)};`)
      .join('\n')
    const all = `pid ${join(folder, 'pid')};\ndaemon off;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${site}}\n`
    writeFileSync(join(folder, 'nginx.conf'), all)
    return startChild('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr'], {
      env,
      stdio: 'inherit',
    })
  }

  function ask(path: string, body?: string): Promise<{ status: number | undefined }> {
    const options = {
      port,
      path,
      host: '127.0.0.1',
      servername: 'source.example.com',
      rejectUnauthorized: false,
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-verification-token': sims.drift.settings.verificationToken },
    }
    return new Promise((resolve, reject) => {
      request(options, (answer) => {
        answer.resume()
        resolve({ status: answer.statusCode })
      })
        .on('error', reject)
        .end(body)
    })
  }

  const webhook = (id: number) =>
    JSON.stringify({
      type: 'new_conversation',
      orgId: org,
      data: { id, contactId: 7, createdAt: 1_714_423_000_000 + id },
    })

  test('a webhook comes in by HTTPS and is delivered, and nothing over 300 kB is passed on', async () => {
    assert.equal((await ask('/webhooks/drift', webhook(1))).status, 200)
    await sims.segment.waitFor(1)
    assert.equal((await ask('/webhooks/drift', 'x'.repeat(310_000))).status, 413)
    assert.equal((await ask('/connect')).status, 302)
  })

  test('while one process is gone, each webhook is answered 200 and delivered by the other', async () => {
    await served[0]!.stop()
    for (let id = 2; id <= 11; id++) assert.equal((await ask('/webhooks/drift', webhook(id))).status, 200)
    await sims.segment.waitFor(11)
    assert.equal(sims.segment.accepted.length, 11)
  })

  test('an address that asks for pages without end is answered 429 or 503, and its webhooks are not', async () => {
    const pages = await Promise.all(Array.from({ length: 80 }, () => ask('/console/sign-in')))
    assert.ok(pages.some(({ status }) => status === 429 || status === 503))
    for (let id = 12; id <= 21; id++) assert.equal((await ask('/webhooks/drift', webhook(id))).status, 200)
  })
})
