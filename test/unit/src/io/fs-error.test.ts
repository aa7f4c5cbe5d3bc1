import { describe, expect, test } from 'vitest'
import { toEngineError } from '../../../../src/io/fs-error.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the system says it`), { code, syscall: 'open', errno: -1 })
}

describe('toEngineError', () => {
  test.each([
    ['ENOSPC', 'E_DISK_FULL', 'retry'],
    ['EDQUOT', 'E_DISK_FULL', 'retry'],
    ['EMFILE', 'E_TOO_MANY_FILES', 'retry'],
    ['EROFS', 'E_DISK_READ_ONLY', 'stop'],
    ['EACCES', 'E_DISK_DENIED', 'stop'],
    ['EIO', 'E_DISK_FAILED', 'retry'],
    ['ENAMETOOLONG', 'E_DISK_FAILED', 'stop'],
  ])('%s is %s and the loop should %s', (system, code, remedy) => {
    const error = toEngineError(systemError(system), 'cannot write /lake/x')
    expect(error).toMatchObject({
      code,
      remedy,
      message: expect.stringMatching(/^cannot write \/lake\/x: .+/),
    })
    expect((error as Error).message).toContain(system)
  })

  test('leaves errors alone that are not of the operating system', () => {
    const ours = new TypeError('a bug')
    expect(toEngineError(ours, 'cannot write')).toBe(ours)
  })
})
