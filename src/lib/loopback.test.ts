import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback } from './loopback.ts'

for (const host of [
  'localhost',
  'LocalHost',
  'localhost.',
  '127.0.0.1',
  '127.255.0.3',
  '::1',
  '[::1]',
  '0:0:0:0:0:0:0:1',
  '[0:0:0:0:0:0:0:1]',
  '0000:0000:0000:0000:0000:0000:0000:0001',
  '::0001',
  '0::1',
  '::ffff:127.0.0.1',
])
  test(`${host} is this machine`, () => assert.equal(isLoopback(host), true))

for (const host of [
  '',
  '0.0.0.0',
  '::',
  '::2',
  '1::1',
  '10.0.0.1',
  '127.0.0.256',
  '1127.0.0.1',
  '127.0.0.1.example.com',
  'localhost.example.com',
  'localhost..',
  'notlocalhost',
  '::ffff:10.0.0.1',
  '[127.0.0.1]',
  '[localhost]',
  'x@127.0.0.1',
  '127.0.0.1/x',
  '127.0.0.1:80',
])
  test(`${host || 'nothing'} is not this machine, or not alone`, () => assert.equal(isLoopback(host), false))
