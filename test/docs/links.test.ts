import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readMarkdown } from '../support/markdown.ts'
import { pages, ROOT, readPage } from '../support/pages-of-the-project.ts'

/** What is wrong with a link of a page; links to elsewhere are not looked at. */
function faultOf(page: string, link: string): string | null {
  if (/^(?:https?|mailto):/.test(link)) return null
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), path))
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return `${link}: there is no ${target}`
  if (anchor === undefined || !target.endsWith('.md')) return null
  return readMarkdown(readPage(target)).anchors.has(anchor) ? null : `${link}: ${target} has no such heading`
}

describe('every link of a page leads somewhere', () => {
  test.each(pages())('%s', (page) => {
    const { links } = readMarkdown(readPage(page))
    expect(links.flatMap((link) => faultOf(page, link) ?? [])).toEqual([])
  })
})

test('every guide can be found: some page links to it', () => {
  const linked = pages().flatMap((page) =>
    readMarkdown(readPage(page)).links.map((link) => normalize(join(dirname(page), link.split('#')[0]!))),
  )
  const guides = pages().filter((page) => page.startsWith('docs/') && !page.startsWith('docs/adr/'))
  expect(guides.filter((guide) => !linked.includes(guide))).toEqual([])
})

test('a link that leads nowhere is found out', () => {
  expect(faultOf('docs/runbook.md', 'guide/nothing.md')).toMatch('there is no docs/guide/nothing.md')
  expect(faultOf('docs/runbook.md', '#nothing')).toMatch('no such heading')
  expect(faultOf('docs/runbook.md', '#exactness')).toBeNull()
  expect(faultOf('README.md', '../elsewhere')).toMatch('there is no')
})
