export interface CodeBlock {
  /** What stands behind the fence: `bash`, `yaml`; empty for none and for indented blocks. */
  readonly language: string
  /** Behind the language: `run`. */
  readonly flag: string
  readonly text: string
  /** Of its first line, from 1. */
  readonly line: number
}

/** What a page holds that a test can hold it to. */
export interface MarkdownParts {
  readonly blocks: readonly CodeBlock[]
  /** Texts between backquotes, outside of blocks. */
  readonly inlineCode: readonly string[]
  /** Where links and images lead to. */
  readonly links: readonly string[]
  /** What `#…` can name. */
  readonly anchors: ReadonlySet<string>
}

interface Opened {
  /** `null`: an indented block. */
  readonly fence: string | null
  readonly language: string
  readonly flag: string
  readonly from: number
}

/** As far as our own pages use Markdown; an indented line behind an empty one is code. */
export function readMarkdown(text: string): MarkdownParts {
  const { blocks, prose } = splitBlocks(text.split('\n'))
  const words = prose.join('\n')
  const plain = words.replaceAll(/`[^`\n]+`/g, '')
  const headings = prose.flatMap((line) => /^#{1,6} (.*)$/.exec(line)?.[1] ?? [])
  return {
    blocks,
    inlineCode: [...words.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!),
    links: [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!),
    anchors: anchorsOf(headings),
  }
}

function splitBlocks(lines: readonly string[]): { blocks: CodeBlock[]; prose: string[] } {
  const blocks: CodeBlock[] = []
  const prose: string[] = []
  let open: Opened | null = null
  const close = (end: number) => {
    if (open === null) return
    const text = lines.slice(open.from, end).join('\n')
    blocks.push({ language: open.language, flag: open.flag, text, line: open.from + 1 })
    open = null
  }
  for (const [i, line] of lines.entries()) {
    const fence = /^\s*(```+)(\w*) ?(\w*)\s*$/.exec(line)
    if (open !== null && open.fence !== null) {
      if (fence?.[1] === open.fence) close(i)
    } else if (fence !== null) {
      close(i)
      open = { fence: fence[1]!, language: fence[2]!, flag: fence[3]!, from: i + 1 }
    } else if (/^ {4}\S/.test(line) && (open !== null || (lines[i - 1] ?? '') === '')) {
      open ??= { fence: null, language: '', flag: '', from: i }
    } else {
      if (open !== null && line !== '') close(i)
      if (open === null) prose.push(line)
    }
  }
  close(lines.length)
  return { blocks, prose }
}

/** As GitHub makes them of headings; a name that repeats is numbered. */
function anchorsOf(headings: readonly string[]): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const heading of headings) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const name = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
    let anchor = name
    for (let n = 1; anchors.has(anchor); n++) anchor = `${name}-${n}`
    anchors.add(anchor)
  }
  return anchors
}
