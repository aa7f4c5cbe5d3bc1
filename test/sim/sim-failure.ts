/** Something is not as it must be. */
export class SimFailure extends Error {
  override readonly name = 'SimFailure'
}

/** What one list has and the other has not, each as often as it is there too many. */
export function difference<T>(
  a: readonly T[],
  b: readonly T[],
  textOf: (item: T) => string,
): { readonly onlyA: T[]; readonly onlyB: T[] } {
  const left = new Map<string, T[]>()
  for (const item of b) {
    const same = left.get(textOf(item))
    if (same === undefined) left.set(textOf(item), [item])
    else same.push(item)
  }
  const onlyA = a.filter((item) => left.get(textOf(item))?.pop() === undefined)
  return { onlyA, onlyB: [...left.values()].flat() }
}

/** @throws SimFailure that shows the difference */
export function expectSame(what: string, found: readonly string[], wanted: readonly string[]): void {
  const { onlyA, onlyB } = difference(found, wanted, (text) => text)
  if (onlyA.length === 0 && onlyB.length === 0) return
  const list = (sign: string, texts: readonly string[]) => texts.map((text) => `  ${sign} ${text}`)
  throw new SimFailure(
    [what, ...list('found, not wanted: ', onlyA), ...list('wanted, not found:', onlyB)].join('\n'),
  )
}

export function expectThat(isSo: boolean, what: string): void {
  if (!isSo) throw new SimFailure(what)
}
