/**
 * A browser without a window: keeps cookies, follows redirects where the caller says so, fills in forms. For the demo and the
 * tests, which walk the same way as a person does.
 */
import type { Send } from '../lib/request.ts'

export interface Seen {
  /** Where the answer came from, whole. */
  url: string
  status: number
  headers: Record<string, string | undefined>
  body: string
}

export interface Visitor {
  /** By `name=value`, as they stand in a Cookie header; by origin. */
  readonly cookies: Map<string, Map<string, string>>
  get(url: string, headers?: Record<string, string>): Promise<Seen>
  post(url: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Seen>
  /** Goes where a redirect leads, step by step, and stops at the first answer that is none or lies elsewhere. */
  follow(seen: Seen, isElsewhere?: (url: string) => boolean): Promise<Seen>
  /** Sends a form of this page as a browser would: the one with this action, or its first; fields over what stands there. */
  submit(seen: Seen, fields?: Record<string, string>, action?: string): Promise<Seen>
}

export function openVisitor(send: Send): Visitor {
  const cookies: Visitor['cookies'] = new Map()

  async function ask(
    method: 'GET' | 'POST',
    url: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Seen> {
    const { origin } = new URL(url)
    const jar = cookies.get(origin) ?? new Map<string, string>()
    cookies.set(origin, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await send({
      method,
      url,
      headers: { accept: 'text/html', ...(cookie ? { cookie } : {}), ...headers },
      ...(body === undefined ? {} : { body }),
      deadlineMs: 20_000,
    })
    if (answer.failure !== undefined) return { url, status: 0, headers: {}, body: answer.failure }
    for (const line of (answer.headers['set-cookie'] ?? '').split('\n').filter(Boolean)) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/;\s*max-age=0\b/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return { url, status: answer.status, headers: answer.headers, body: answer.body }
  }

  const visitor: Visitor = {
    cookies,
    get: (url, headers = {}) => ask('GET', url, headers),
    post: (url, fields, headers = {}) =>
      ask(
        'POST',
        url,
        { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        new URLSearchParams(fields).toString(),
      ),
    async follow(seen, isElsewhere = () => false) {
      let at = seen
      for (let steps = 0; steps < 10 && at.status >= 300 && at.status < 400; steps++) {
        const to = new URL(at.headers.location ?? '', at.url).href
        if (isElsewhere(to)) break
        at = await visitor.get(to)
      }
      return at
    },
    submit(seen, fields = {}, action) {
      const form = formsOf(seen.body).find((one) => action === undefined || one.action === action)
      const to = new URL(form?.action ?? '', seen.url).href
      return visitor.post(to, { ...form?.fields, ...fields })
    },
  }
  return visitor
}

/** The forms of a page that are sent by POST, with what stands in them. Reads our own pages, not any. */
export function formsOf(page: string): { action: string | undefined; fields: Record<string, string> }[] {
  return [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)]
    .filter(([, attributes = '']) => /method="post"/i.test(attributes))
    .map(([, attributes = '', content = '']) => {
      const inputs = [...content.matchAll(/<input\b([^>]*)>/g)].flatMap(([, input = '']) => {
        const name = attribute(input, 'name')
        const isOff = /type="(radio|checkbox)"/.test(input) && !/\schecked\b/.test(input)
        return name === undefined || isOff ? [] : [[name, attribute(input, 'value') ?? ''] as const]
      })
      return { action: attribute(attributes, 'action'), fields: Object.fromEntries(inputs) }
    })
}

const signs: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

function attribute(text: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\b${name}="([^"]*)"`).exec(text) ?? []
  return value?.replace(/&(?:#(\d+)|(amp|lt|gt|quot));/g, (_, code?: string, sign = '') =>
    code === undefined ? signs[sign]! : String.fromCharCode(Number(code)),
  )
}
