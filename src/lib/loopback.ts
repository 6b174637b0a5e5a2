/** Whether a host, as it stands in an address or a setting, is this machine alone. */
export function isLoopback(host: string): boolean {
  return /^localhost$/i.test(host) || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
