/** An error that a person reads: a code to look up in docs/errors.md, what is wrong, and what to do about it. */
export class Problem extends Error {
  readonly code: string
  readonly hint: string | undefined
  /** What the command line exits with: 78 for settings (EX_CONFIG of sysexits.h), 1 for the rest. */
  readonly exitCode: number

  constructor(code: string, message: string, options: { hint?: string; exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.hint = options.hint
    this.exitCode = options.exitCode ?? 1
  }
}

/** The code of an error of Node's or ours, or its class name: safe to log, unlike messages, which may quote input. */
export function codeOf(error: unknown): string {
  if (error instanceof Error) return (error as { code?: string }).code ?? error.name
  return typeof error
}

/** What to do about it, if it says so. */
export function hintOf(error: unknown): string | undefined {
  return error instanceof Problem ? error.hint : undefined
}
