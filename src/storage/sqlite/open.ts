/** The main thread's side of the SQLite engine: passes every call to the worker, and groups webhooks on the way. */
import { Worker } from 'node:worker_threads'
import { Problem } from '../../lib/errors.ts'
import type { Arrival, Inbox, Mode, Storage } from '../ports.ts'
import { copyDatabase } from './backup.ts'
import { pack } from './packing.ts'
import type { Ask, Reply } from './worker.ts'

type Told =
  | Reply[]
  | 'open'
  | 'changed'
  | { refused: { code: string; message: string; hint?: string; exitCode: number } }

interface Waiter {
  resolve(value: unknown): void
  reject(reason: Problem): void
}

export async function open(path: string, mode: Mode): Promise<Storage> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { path, mode } })
  const waiters = new Map<number, Waiter>()
  const listeners: (() => void)[] = []
  let lastId = 0
  let gone: Problem | undefined
  let closing = false
  const broken = Promise.withResolvers<Problem>()

  const opened = new Promise<void>((resolve, reject) => {
    worker.on('message', (told: Told) => {
      if (told === 'open') return resolve()
      if (told === 'changed') {
        for (const listener of listeners) listener()
        return
      }
      if ('refused' in told) {
        const { code, message, ...rest } = told.refused
        return reject(new Problem(code, message, rest))
      }
      for (const reply of told) answer(reply)
    })
    worker.on('error', (cause) => fail(new Problem('store_broken', 'the store has stopped', { cause })))
    worker.on('exit', () => fail(new Problem('store_closed', 'the store is closed')))
    function fail(problem: Problem) {
      gone ??= problem
      reject(problem)
      if (!closing) broken.resolve(gone)
      for (const waiter of waiters.values()) waiter.reject(problem)
      waiters.clear()
    }
  })

  function answer(reply: Reply) {
    const waiter = waiters.get(reply.id)
    waiters.delete(reply.id)
    if ('error' in reply) waiter?.reject(new Problem(reply.error.code, reply.error.message))
    else waiter?.resolve(reply.value)
  }

  function call(port: string, method: string, args: unknown[], transferred: ArrayBuffer[] = []): Promise<unknown> {
    if (gone) return Promise.reject(gone)
    return new Promise((resolve, reject) => {
      const id = ++lastId
      waiters.set(id, { resolve, reject })
      worker.postMessage({ id, port, method, args } satisfies Ask, transferred)
    })
  }

  /** Every method of a port, as a call to the worker's function of the same name. */
  function remote<Port extends object>(port: string): Port {
    const get =
      (_: Port, method: string) =>
      (...args: unknown[]) =>
        call(port, method, args)
    return new Proxy({} as Port, { get } as ProxyHandler<Port>)
  }

  const inbox = remote<Inbox>('inbox')
  const grouped = groupAppends((batch) => {
    const packed = pack(batch)
    return call('inbox', 'append', [packed], [packed.bytes.buffer]) as ReturnType<Inbox['append']>
  })
  await opened
  return {
    inbox: new Proxy(inbox, { get: (port, method) => (method === 'append' ? grouped : Reflect.get(port, method)) }),
    ledger: remote('ledger'),
    installs: remote('installs'),
    vault: remote('vault'),
    conversations: remote('conversations'),
    lookup: remote('lookup'),
    audit: remote('audit'),
    onChange: (listener) => void listeners.push(listener),
    broken: broken.promise,
    check: async () => void (await call('storage', 'check', [])),
    backup: async (copy) => copyDatabase(path, copy),
    examine: () => call('storage', 'examine', []) as Promise<string[]>,
    async close() {
      closing = true
      if (gone) return
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      worker.postMessage('close')
      await ended
    },
  }
}

/** One append under way at a time: what arrives meanwhile is the next, so a group is as large as the load makes it. */
function groupAppends(append: Inbox['append']): Inbox['append'] {
  let next: { arrivals: Arrival[]; results: ReturnType<Inbox['append']> } | undefined
  let underWay: Promise<unknown> = Promise.resolve()
  return async (batch) => {
    if (!next) {
      const group = { arrivals: [] as Arrival[], results: Promise.resolve([]) as ReturnType<Inbox['append']> }
      next = group
      group.results = underWay.then(async () => {
        await new Promise(setImmediate)
        next = undefined
        return append(group.arrivals)
      })
      underWay = group.results.catch(() => {})
    }
    const { arrivals, results } = next
    const start = arrivals.length
    arrivals.push(...batch)
    return (await results).slice(start, start + batch.length)
  }
}
