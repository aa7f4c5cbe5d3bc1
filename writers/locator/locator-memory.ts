/** What the locators of one process may hold in memory together (`locator.memory`). */
export class LocatorMemory {
  readonly bytesMax: number
  readonly #users = new Set<MemoryUser>()

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  add(user: MemoryUser): void {
    this.#users.add(user)
  }

  remove(user: MemoryUser): void {
    this.#users.delete(user)
  }

  /** Whether a user should put on disk what it can: there is too much in all, and it has no small part of that. */
  isTight(user: MemoryUser): boolean {
    const used = this.#used()
    return used > this.bytesMax && user.changeableBytes * 4 >= used / this.#users.size
  }

  /** Bytes that nobody holds. */
  get freeBytes(): number {
    return this.bytesMax - this.#used()
  }

  /** Bytes that a user may hold beside what the others do. */
  roomFor(user: MemoryUser): number {
    return this.bytesMax - (this.#used() - user.sizeBytes)
  }

  #used(): number {
    let bytes = 0
    for (const { sizeBytes } of this.#users) bytes += sizeBytes
    return bytes
  }
}

export interface MemoryUser {
  readonly sizeBytes: number
  /** Those of them that go to disk when memory is tight. */
  readonly changeableBytes: number
}
