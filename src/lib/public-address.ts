/**
 * Which IP addresses belong to the public internet: what a service may connect to for an address that a customer gave. All
 * others may be the service's own machine, its neighbours, or the metadata of a cloud.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Of IANA's registry of special-purpose IPv4 addresses, all that are not for everybody; multicast and reserved ones too. */
const specialIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/**
 * Within 2000::/3, the only part of IPv6 that is given out: protocol assignments (Teredo, ORCHID, benchmarking),
 * documentation, and 6to4, in which an IPv4 address is hidden. Mapped IPv4 and NAT64 (64:ff9b::/96) lie outside of it.
 */
const specialIpv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const special = new BlockList()
const given = new BlockList()
for (const range of specialIpv4) add(special, range, 'ipv4')
for (const range of specialIpv6) add(special, range, 'ipv6')
add(given, '2000::/3', 'ipv6')

/** `address` as the system or a URL writes it, IPv6 with or without brackets. What is not an IP address is not public. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/^\[(.*)\]$/, '$1')
  if (isIPv4(bare)) return !special.check(bare, 'ipv4')
  return isIPv6(bare) && given.check(bare, 'ipv6') && !special.check(bare, 'ipv6')
}

/** Whether a host, as `URL.hostname` has it, is an IP address and not a name. */
export function isAddress(host: string): boolean {
  return isIPv4(host) || host.startsWith('[')
}

function add(list: BlockList, range: string, family: 'ipv4' | 'ipv6'): void {
  const [network = '', bits] = range.split('/')
  list.addSubnet(network, Number(bits), family)
}
