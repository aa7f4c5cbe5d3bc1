import { expect, test } from 'vitest'
import { redactSecrets } from '../../../../src/config/secret.ts'

test.each([
  'connect to postgres://user:canary@host:5432/db failed',
  'mongodb+srv://user:canary@cluster/database',
  'Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=canary;EntityPath=p',
  'host=db password=canary user=u',
  `host=db password='canary with blanks' user=u`,
  '{"password":"canary","user":"u"}',
  '{"msg":"host=db password=\\"canary x\\" user=u"}',
  'key AKIAcanary'.replace('canary', 'CANARYCANARYCANA'),
  'Authorization: Bearer eyJhbGciOiJub25lIn0.canary.sig',
])('redacts %j', (text) => {
  const redacted = redactSecrets(text)
  expect(redacted).toContain('[redacted]')
  expect(redacted.toLowerCase()).not.toContain('canary')
})

test('a line of JSON stays JSON', () => {
  const line = JSON.stringify({
    password: 'canary',
    url: 'http://u:canary@h/',
    msg: 'password="canary b" c',
    n: 1,
  })
  expect(JSON.parse(redactSecrets(line))).toMatchObject({ n: 1 })
  expect(redactSecrets(line)).not.toContain('canary')
})

test('leaves ordinary text alone', () => {
  const text = 'table public.orders at http://127.0.0.1:9000/lake: version 5, 10:30 o’clock, password rules'
  expect(redactSecrets(text)).toBe(text)
})
