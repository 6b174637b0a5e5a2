/** The demo as a person meets it: the simulated Segment is broken and mended on its page, and alerts arrive. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttpClient } from '../../src/lib/request.ts'
import { formsOf, openVisitor } from '../../src/sim/visitor.ts'
import { eventually } from '../clock.ts'
import { runCommand } from '../rig.ts'

test('in the demo an alert arrives when the simulated Segment is broken, and another when it is mended', {
  timeout: 120_000,
}, async () => {
  const stopped = Promise.withResolvers<void>()
  const up = Promise.withResolvers<void>()
  const lines: string[] = []
  const running = runCommand({}, 'demo', {
    stopped: stopped.promise,
    said(line) {
      lines.push(line)
      if (line.includes('stays up')) up.resolve()
    },
  })
  const httpClient = openHttpClient()
  const visitor = openVisitor(httpClient.send)
  try {
    await Promise.race([up.promise, running])
    const address = (pattern: RegExp) => pattern.exec(lines.join('\n'))?.[1] ?? assert.fail(lines.join('\n'))
    const segment = address(/a Segment is at\s+(\S+)/)
    const receiver = address(/alerts of the account arrive at: (\S+)/)
    const answer = async (answer: string) => visitor.submit(await visitor.get(segment), { answer })
    const arrives = (what: string) =>
      eventually(async () => (await visitor.get(receiver)).body.includes(`<td>${what}</td>`))
    assert.match(lines.join('\n'), /\(401\)\n.* within two minutes each; .*\(503\), once events are late by 15 minutes/)
    await answer('refusing')
    await arrives('raised')
    await answer('normal')
    const home = await visitor.follow(
      await visitor.submit(await visitor.get(address(/(http\S+\/console\/sign-in\/\S+)/))),
    )
    // It would try by itself within a minute or two.
    const csrf = formsOf(home.body).find(({ fields }) => fields.csrf)!.fields.csrf!
    await visitor.post(`${new URL(home.url).origin}/console/retry`, { csrf })
    await arrives('recovered')
  } finally {
    stopped.resolve()
    await running
    await httpClient.close()
  }
})
