/** The settings that a service needs at least, and what the start says of wrong ones; for tests that give settings of their own. */
import { type Env, readConfig } from '../src/config.ts'
import { Problem } from '../src/lib/errors.ts'

/** One of ENCRYPTION_KEYS. */
export const sealingKey = `test:${Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64')}`

export const neededSettings = {
  ENCRYPTION_KEYS: sealingKey,
  DRIFT_VERIFICATION_TOKENS: 'vT8sQ2xLr4',
  DRIFT_CLIENT_ID: 'cI5nW9zKe1',
  DRIFT_CLIENT_SECRET: 'cS7mB3yHp6',
} as const satisfies Env

export function problemOf(env: Env): Problem {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('these settings were taken')
}
