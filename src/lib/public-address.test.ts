import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublicAddress } from './public-address.ts'

const elsewhere: readonly [what: string, ...addresses: string[]][] = [
  ['this machine', '127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::', '[::1]'],
  [
    'private networks',
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    'fd00::1',
    'fc00::1',
  ],
  ['networks of providers, shared by their customers', '100.64.0.0', '100.127.255.255'],
  ['this link, and the metadata of clouds', '169.254.0.1', '169.254.169.254', 'fe80::1', 'fd00:ec2::254'],
  ['IPv4 inside of IPv6', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:0808:0808', '::8.8.8.8', '2002:0a00:0001::1'],
  ['IPv4 behind NAT64', '64:ff9b::8.8.8.8', '64:ff9b::7f00:1', '64:ff9b:1::a00:1'],
  ['tunnels and protocols', '2001::1', '2001:10::1', '2001:2::1', '192.0.0.1', '192.88.99.1'],
  ['documentation and benchmarks', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1', '3fff::1'],
  ['multicast and reserved', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', 'ff02::1', '4000::1'],
  ['names', 'localhost', 'example.com', '', '8.8.8', '8.8.8.8.8', 'fe80::1%eth0', '0x08080808'],
]
for (const [what, ...addresses] of elsewhere)
  test(`not public: ${what}`, () => {
    for (const address of addresses) assert.equal(isPublicAddress(address), false, address)
  })

test('public: what anybody may have', () => {
  const addresses = ['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.1']
  for (const address of [...addresses, '2606:4700::1111', '[2a00:1450:4001::200e]', '2001:4860:4860::8888'])
    assert.equal(isPublicAddress(address), true, address)
})
