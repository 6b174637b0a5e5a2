/**
 * Whether a host, as it stands in an address or a setting, is this machine alone. A URL spells each address in one way:
 * one of IPv6 in brackets and short, one of IPv4 with four numbers.
 */
export function isLoopback(host: string): boolean {
  if (/[^\w.:[\]-]/.test(host)) return false
  const inUrl = `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}`
  if (!URL.canParse(inUrl)) return false
  const { hostname } = new URL(inUrl)
  // 127.0.0.0/8 is 7f00:0 to 7fff:ffff in an address of IPv6. A name may end with the root's point.
  return /^(localhost\.?|127(\.\d+){3}|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]+\])$/.test(hostname)
}
