/** One worker thread as the main thread sees it: calls by name, answers by number, and what becomes of it. */
import { Worker } from 'node:worker_threads'
import { Problem } from '../../lib/errors.ts'
import type { Ask, Purpose, Refusal, Reply } from './worker.ts'

type Told = Reply[] | 'open' | 'changed' | { refused: Refusal } | { stopped: Refusal }

interface Waiter {
  resolve(value: unknown): void
  reject(reason: Problem): void
}

export interface Thread {
  call(port: string, method: string, args: unknown[], transferred?: ArrayBuffer[]): Promise<unknown>
  /** Every method of a port, as a call to the worker's function of the same name. */
  port<Port extends object>(name: string): Port
  /** Resolves when the thread has stopped unasked. */
  broken: Promise<Problem>
  close(): Promise<void>
}

export async function startThread(path: string, purpose: Purpose, changed: () => void = () => {}): Promise<Thread> {
  // The system shows this name too, beside the thread's processor time.
  const name = purpose === 'look' ? 'store reader' : 'store writer'
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { name, workerData: { path, purpose } })
  const waiters = new Map<number, Waiter>()
  let lastId = 0
  let gone: Problem | undefined
  let closing = false
  const broken = Promise.withResolvers<Problem>()
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))

  const opened = new Promise<void>((resolve, reject) => {
    worker.on('message', (told: Told) => {
      if (told === 'open') return resolve()
      if (told === 'changed') return changed()
      if ('refused' in told) return reject(problemOf(told.refused))
      if ('stopped' in told) return fail(problemOf(told.stopped))
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
    if ('error' in reply) waiter?.reject(problemOf(reply.error))
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

  await opened
  return {
    call,
    port: portsBy(call),
    broken: broken.promise,
    async close() {
      closing = true
      if (!gone) worker.postMessage('close')
      // Also of a thread that stopped unasked: the file is free for the next one when it has gone.
      await ended
    },
  }
}

/** Every method of a port, as a call by its name. */
export function portsBy(call: Thread['call']): Thread['port'] {
  return <Port extends object>(name: string): Port => {
    const get =
      (_: Port, method: string) =>
      (...args: unknown[]) =>
        call(name, method, args)
    return new Proxy({} as Port, { get } as ProxyHandler<Port>)
  }
}

function problemOf({ code, message, hint, exitCode }: Refusal): Problem {
  return new Problem(code, message, { exitCode, ...(hint === undefined ? {} : { hint }) })
}
