/** A `.cpuprofile`, as far as it is needed. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface Frame {
  readonly name: string
  /** From the project's root, a package, or `node:`; empty for the machine's own. */
  readonly file: string
  selfUs: number
  totalUs: number
  readonly children: Map<string, Frame>
}

const IDLE: ReadonlySet<string> = new Set(['(idle)', '(program)', '(root)'])

/** Calls merged by name and file, wherever they were called from the same way. */
export function flameTree(profile: CpuProfile): Frame {
  const selfUs = new Map<number, number>()
  profile.samples.forEach((id, i) => {
    selfUs.set(id, (selfUs.get(id) ?? 0) + profile.timeDeltas[i]!)
  })
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const root: Frame = newFrame('all', '')
  const visit = (id: number, parent: Frame): void => {
    const { callFrame, children } = nodes.get(id)!
    if (callFrame.functionName === '(idle)') return
    const frame = IDLE.has(callFrame.functionName) ? parent : childOf(parent, callFrame)
    frame.selfUs += selfUs.get(id) ?? 0
    for (const child of children ?? []) visit(child, frame)
  }
  visit(profile.nodes[0]!.id, root)
  addUp(root)
  return root
}

function newFrame(name: string, file: string): Frame {
  return { name, file, selfUs: 0, totalUs: 0, children: new Map() }
}

function childOf(parent: Frame, { functionName, url }: CpuProfile['nodes'][number]['callFrame']): Frame {
  const name = functionName === '' ? '(anonymous)' : functionName
  const file = fileOf(url)
  const key = `${name} ${file}`
  const known = parent.children.get(key)
  if (known !== undefined) return known
  const frame = newFrame(name, file)
  parent.children.set(key, frame)
  return frame
}

function fileOf(url: string): string {
  const place = url.replace(/^file:\/\//, '')
  const ours = place.split('/.bench/js/')[1]
  if (ours !== undefined) return ours.replace(/\.js$/, '.ts')
  return place.split('/node_modules/').at(-1)!
}

function addUp(frame: Frame): number {
  frame.totalUs = frame.selfUs
  for (const child of frame.children.values()) frame.totalUs += addUp(child)
  return frame.totalUs
}

/** Self times by function, the greatest first. */
export function selfTimes(
  root: Frame,
): readonly { readonly name: string; readonly file: string; readonly us: number }[] {
  const found = new Map<string, { name: string; file: string; us: number }>()
  const visit = (frame: Frame): void => {
    const key = `${frame.name} ${frame.file}`
    const known = found.get(key) ?? { name: frame.name, file: frame.file, us: 0 }
    known.us += frame.selfUs
    found.set(key, known)
    for (const child of frame.children.values()) visit(child)
  }
  visit(root)
  return [...found.values()].sort((a, b) => b.us - a.us)
}
