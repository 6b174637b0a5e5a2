/** Reading a form: exactly the fields that are asked for. */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'

/** The field that every form of a session carries. */
export const csrfField = 'csrf'

/**
 * The fields of a POST, '' where one is missing; those of `many` may stand several times. A field that the page does not have,
 * or one that stands twice, is refused with 400, another content type than a form's with 415.
 */
export async function formOf<One extends string, Many extends string = never>(
  c: Context,
  one: readonly One[],
  many: readonly Many[] = [],
): Promise<Record<One, string> & Record<Many, string[]>> {
  const fields = await fieldsOf(c)
  const known = new Set<string>([...one, ...many, csrfField])
  const names = [...fields.keys()]
  const isOdd = (name: string) => !known.has(name) || (!many.includes(name as Many) && fields.getAll(name).length > 1)
  if (names.some(isOdd)) throw new HTTPException(400)
  return Object.fromEntries([
    ...one.map((name) => [name, fields.get(name) ?? '']),
    ...many.map((name) => [name, fields.getAll(name)]),
  ])
}

export async function fieldsOf(c: Context): Promise<URLSearchParams> {
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') throw new HTTPException(415)
  const body: Buffer | undefined = c.get('body')
  return new URLSearchParams(body?.toString())
}
