/** Certificates for tests, made by OpenSSL's command line, where it is installed. */
import { execFileSync } from 'node:child_process'

/** Why tests with certificates are left out, if they are. */
export const withoutOpenssl: string | false = isThere()
  ? false
  : 'openssl is not installed here, which makes the certificates (Debian: apt-get install openssl)'

function isThere(): boolean {
  try {
    openssl('version')
    return true
  } catch {
    return false
  }
}

/** Runs one of its commands, whose arguments have no spaces in them, in this folder. */
export function openssl(line: string, folder?: string): void {
  execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' })
}
