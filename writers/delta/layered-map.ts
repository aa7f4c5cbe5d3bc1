const GONE = Symbol('gone')

/**
 * An immutable map that is cheap to derive from: a large base shared by all descendants, under a small layer of what
 * changed since. A table of a million files gets a new snapshot per commit, and old snapshots stay valid.
 *
 * The layer is folded into a new base when it outgrows the square root of the base, so that a derivation costs, on
 * average, the changes plus that root.
 */
export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>
  readonly #layer: ReadonlyMap<K, V | typeof GONE>
  readonly size: number

  private constructor(base: ReadonlyMap<K, V>, layer: ReadonlyMap<K, V | typeof GONE>, size: number) {
    this.#base = base
    this.#layer = layer
    this.size = size
  }

  static of<K, V>(entries: Iterable<readonly [K, V]>): LayeredMap<K, V> {
    const base = new Map(entries)
    return new LayeredMap(base, new Map(), base.size)
  }

  /** A new map without the keys of `remove` and with all of `set`; a key in both is set. */
  derive(set: ReadonlyMap<K, V>, remove: Iterable<K>): LayeredMap<K, V> {
    const layer = new Map(this.#layer)
    const holds = (key: K) => (layer.has(key) ? layer.get(key) !== GONE : this.#base.has(key))
    let size = this.size
    for (const key of remove) {
      if (!holds(key)) continue
      if (this.#base.has(key)) layer.set(key, GONE)
      else layer.delete(key)
      size -= 1
    }
    for (const [key, value] of set) {
      if (!holds(key)) size += 1
      layer.set(key, value)
    }
    if (layer.size <= 64 + 2 * Math.sqrt(this.#base.size)) return new LayeredMap(this.#base, layer, size)
    return new LayeredMap(folded(this.#base, layer), new Map(), size)
  }

  get(key: K): V | undefined {
    const changed = this.#layer.get(key)
    if (changed === undefined) return this.#base.get(key)
    return changed === GONE ? undefined : (changed as V)
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this)
  }

  *[Symbol.iterator](): MapIterator<[K, V]> {
    for (const entry of this.#base) if (!this.#layer.has(entry[0])) yield entry
    for (const [key, value] of this.#layer) if (value !== GONE) yield [key, value as V]
  }

  entries(): MapIterator<[K, V]> {
    return this[Symbol.iterator]()
  }

  *keys(): MapIterator<K> {
    for (const [key] of this) yield key
  }

  *values(): MapIterator<V> {
    for (const [, value] of this) yield value
  }
}

function folded<K, V>(base: ReadonlyMap<K, V>, layer: ReadonlyMap<K, V | typeof GONE>): ReadonlyMap<K, V> {
  const map = new Map<K, V>(base)
  for (const [key, value] of layer) {
    if (value === GONE) map.delete(key)
    else map.set(key, value as V)
  }
  return map
}
