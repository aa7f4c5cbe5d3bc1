import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LocalDirectory } from '../../../../src/io/local-files.ts'

function directory(): { readonly root: string; readonly files: LocalDirectory } {
  const root = join(mkdtempSync(join(tmpdir(), 'local-files-')), 'state')
  return { root, files: new LocalDirectory(root) }
}

describe('files of this machine', () => {
  test('are written, replaced, listed and deleted', async () => {
    const { files } = directory()
    expect([await files.read('a/b'), await files.open('a/b'), await files.list('a')]).toEqual([
      null,
      null,
      [],
    ])
    await files.write('a/b', Uint8Array.of(1))
    await files.write('a/b', Uint8Array.of(2, 3))
    expect([...(await files.read('a/b'))!]).toEqual([2, 3])
    expect(await files.list('a')).toEqual(['b'])
    await files.delete('a/b')
    await files.delete('a/b')
    expect(await files.list('a')).toEqual([])
  })

  test('can be read by nobody else', async () => {
    const { root, files } = directory()
    await files.write('a/b', Uint8Array.of(1))
    expect([statSync(join(root, 'a')).mode & 0o077, statSync(join(root, 'a/b')).mode & 0o077]).toEqual([0, 0])
  })

  test('give pieces from anywhere, also after they were deleted', async () => {
    const { files } = directory()
    const writer = await files.create('run')
    await writer.append(Uint8Array.of(0, 1, 2, 3))
    await writer.append(Uint8Array.of(4, 5, 6, 7))
    await writer.close()
    const file = (await files.open('run'))!
    expect(file.sizeBytes).toBe(8)
    await files.delete('run')
    const out = new Uint8Array(6)
    await file.readPieces([6, 0, 3], 2, out)
    expect([...out]).toEqual([6, 7, 0, 1, 3, 4])
    await expect(file.readPieces([7], 2, out)).rejects.toMatchObject({ code: 'E_DISK_FAILED' })
    file.close()
  })

  test('tell by name what the system refuses', async () => {
    const { files } = directory()
    await files.write('a', Uint8Array.of(1))
    await expect(files.write('a/b', Uint8Array.of(1))).rejects.toMatchObject({ code: 'E_DISK_FAILED' })
  })
})
