/** What docs/releasing.md says, done with a copy of this tree as a repository of its own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { notesOf, releasedVersions, withVersion } from '../../build/release/changelog.ts'
import { makeRelease } from '../../build/release/make.ts'
import { notReady, setVersion, versionsIn } from '../../build/release/version.ts'
import { frozenFiles, isFrozen } from '../storage/frozen.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    object
  > & {
    version: string
  }
const scratch = mkdtempSync(join(tmpdir(), 'release-test-'))
const repository = join(scratch, 'repository')
const left = new Set(['.git', 'node_modules', 'data', 'dist', 'coverage', 'frozen'])
const version = '99.1.0'

function git(...args: string[]): void {
  const who = ['-c', 'user.name=A maintainer', '-c', 'user.email=maintainer@example.com', '-c', 'commit.gpgsign=false']
  const { status, stderr } = spawnSync('git', [...who, ...args], { cwd: repository, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}

before(() => {
  cpSync(root, repository, { recursive: true, filter: (from) => !left.has(basename(from)) })
  // A tree that was just released has nothing unreleased.
  const changes = join(repository, 'CHANGELOG.md')
  const text = readFileSync(changes, 'utf8')
  writeFileSync(changes, text.replace('## Unreleased\n\n', '## Unreleased\n\n- Something that is new.\n\n'))
  git('init', '--quiet', '--initial-branch=main')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Everything')
})
after(() => rmSync(scratch, { recursive: true, force: true }))

test('every place of the tree names the same version', () => {
  const { version: present } = manifestOf(root)
  for (const [place, one] of Object.entries(versionsIn(root))) assert.equal(one, present, place)
})

describe('the version', () => {
  test('is refused where it is none, or not above the present one, and nothing is changed then', () => {
    for (const wrong of ['', 'v99.1.0', '99.1', '0.0.9', manifestOf(root).version])
      assert.throws(() => setVersion(repository, wrong, '2030-01-02'), /is not/, wrong)
    git('diff', '--exit-code')
  })

  test('is named everywhere, has its notes, and keeps its bridge', () => {
    const samples = notReady(repository, version, false)
    assert.equal(samples.length, Object.keys(versionsIn(repository)).length + 3, 'nothing is ready before')
    setVersion(repository, version, '2030-01-02')
    assert.deepEqual(notReady(repository, version, true), [])
    assert.match(notReady(repository, version, false).join(), /npm run freeze/)
    assert.throws(() => setVersion(repository, '99.2.0', '2030-01-03'), /says nothing/)
  })
})

test('this tree names the newest version of its CHANGELOG everywhere, and is ready for it while nothing is unreleased', () => {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  const [newest = ''] = releasedVersions(changelog)
  const isUnchanged = changelog.includes(`## Unreleased\n\n## ${newest}, `)
  const comesWithTheNext = isUnchanged ? [] : [/is not the built bridge$/, /no sample store/]
  const wrong = notReady(root, newest, isFrozen())
  const named = wrong.filter((one) => !comesWithTheNext.some((pattern) => pattern.test(one)))
  assert.deepEqual(named, [], 'npm run release:version names a version, and keeps its bridge and its store')
})

describe('the changelog', () => {
  const text = '# Changes\n\n## Unreleased\n\n- New.\n\n## 1.0.0, 2030-01-01\n\n- Old.\n- Older.\n'
  test('gives what is unreleased to the version, and keeps what was there', () => {
    const released = withVersion(text, '1.1.0', '2030-02-03')
    assert.equal(released.split('## Unreleased')[1], `\n\n## 1.1.0, 2030-02-03\n\n${text.split('Unreleased\n\n')[1]}`)
    assert.deepEqual(
      ['1.1.0', '1.0.0', '1.0', '2.0.0'].map((one) => notesOf(released, one)),
      ['- New.', '- Old.\n- Older.', undefined, undefined],
    )
  })
})

describe('a release', () => {
  const into = join(scratch, 'made')
  /** Packages would be fetched otherwise. */
  const cloned = (clone: string) => symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  const make = (folder: string, tag = `v${version}`) =>
    makeRelease({ root: repository, tag, into: folder, image: false, cloned })
  const sbomOf = (name: string) =>
    JSON.parse(readFileSync(join(into, `${name}-${version}.sbom.json`), 'utf8')) as {
      bomFormat: string
      metadata: { component: { name: string; version: string } }
      components: { name: string; purl: string; hashes: unknown[]; licenses: unknown[] }[]
    }

  test('is not made of a tag that is not there, or whose tree is not ready', () => {
    assert.throws(() => make(into, 'v77.0.0'), /v77\.0\.0/)
    assert.throws(() => make(into, version), /is not a tag/)
    git('add', '--all')
    git('commit', '--quiet', '--message', 'Named')
    git('tag', 'v99.0.9')
    assert.throws(() => make(into, 'v99.0.9'), /package\.json names 99\.1\.0[\s\S]*no sample/)
    assert.deepEqual(readdirSync(scratch), ['repository'])
  })

  test('has both packages, what each is made of, notes and checksums, from what is committed alone', {
    timeout: 240_000,
  }, () => {
    for (const file of frozenFiles()) {
      mkdirSync(dirname(join(repository, file)), { recursive: true })
      writeFileSync(join(repository, file), 'a sample')
    }
    git('add', '--all')
    git('commit', '--quiet', '--message', 'Frozen')
    git('tag', `v${version}`)
    writeFileSync(join(repository, 'bin/not-committed.mjs'), '')
    make(into)
    const files = ['', '-bridge'].flatMap((end) => [`${end}-${version}.sbom.json`, `${end}-${version}.tgz`])
    assert.deepEqual(
      readdirSync(into).sort(),
      [...files.map((file) => `drift-segment-source${file}`), 'SHA256SUMS', 'notes.md'].sort(),
    )
    const checked = spawnSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: into, encoding: 'utf8' })
    assert.equal(checked.stdout.match(/: OK$/gm)?.length, 5, checked.stderr)
    assert.match(readFileSync(join(into, 'notes.md'), 'utf8'), /^- Something that is new/)
    const packed = spawnSync('tar', ['tzf', `drift-segment-source-${version}.tgz`], { cwd: into, encoding: 'utf8' })
    assert.match(packed.stdout, /package\/dist\/main\.js/)
    assert.doesNotMatch(packed.stdout, /not-committed/)
  })

  test('says of each package what is installed with it, and nothing that only its makers need', () => {
    const { dependencies, devDependencies } = manifestOf(root)
    const service = sbomOf('drift-segment-source')
    const { name, version: said } = service.metadata.component
    assert.deepEqual([service.bomFormat, name, said], ['CycloneDX', 'drift-segment-source', version])
    const names = service.components.map((one) => one.name)
    for (const needed of Object.keys(dependencies)) assert.ok(names.includes(needed), needed)
    for (const dev of Object.keys(devDependencies)) assert.ok(!names.includes(dev), dev)
    for (const { purl, hashes, licenses } of service.components)
      assert.ok(purl.startsWith('pkg:npm/') && hashes.length > 0 && licenses.length > 0, purl)
    assert.deepEqual(sbomOf('drift-segment-source-bridge').components, [])
  })

  test('is the same to the byte when it is made again', { timeout: 240_000 }, () => {
    make(join(scratch, 'again'))
    const checksums = (folder: string) => readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
    assert.equal(checksums(join(scratch, 'again')), checksums(into))
    assert.throws(() => make(into), /has something in it already/)
  })
})
