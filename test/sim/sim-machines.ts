import type { LocalFile, LocalFiles, LocalFileWriter } from '../../core/ports.ts'
import type { LocatorPorts } from '../../writers/locator/located-keys.ts'
import { LocatorMemory } from '../../writers/locator/locator-memory.ts'
import { MemoryFiles } from '../support/memory-files.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import type { SimProcess } from './sim-process.ts'
import type { World } from './world.ts'

const MACHINES = 2
/** Locators hold everything in memory, or nearly nothing. */
const MEMORY = [2 ** 30, 100_000, 0]
const MEDDLING = 0.05

/** The machines that processes run on, with state directories that anybody may delete, tear or put back at any time. */
export class SimMachines {
  readonly #world: World
  /** Its own dice: what becomes of local state moves nothing else in a world. */
  readonly #random: SeededRandom
  readonly #machines = Array.from({ length: MACHINES }, () => new MemoryFiles())
  readonly #older = new Map<MemoryFiles, Map<string, Uint8Array>>()
  readonly #memory: number

  constructor(world: World, seed: number) {
    this.#world = world
    this.#random = new SeededRandom(seed ^ 0x5eed)
    this.#memory = MEMORY[this.#random.below(MEMORY.length)]!
  }

  /** What a new process finds where it was started. */
  localOf(process: SimProcess): LocatorPorts {
    const machine = this.#machines[this.#random.below(MACHINES)]!
    if (this.#random.chance(0.5)) this.#meddle(machine)
    const files = new SimLocalFiles(process, this.#world, machine, () => {
      if (this.#random.chance(MEDDLING)) this.#meddle(machine)
    })
    return { files, memory: new LocatorMemory(this.#memory) }
  }

  #meddle(machine: MemoryFiles): void {
    const { files } = machine
    const paths = [...files.keys()].sort()
    const path = paths[this.#random.below(paths.length)]
    const dice = this.#random.below(5)
    if (dice === 0 || path === undefined) files.clear()
    else if (dice === 1) files.delete(path)
    else if (dice === 2)
      files.set(path, files.get(path)!.subarray(0, this.#random.below(files.get(path)!.length + 1)))
    else if (dice === 3) files.set(path, flipped(files.get(path)!, this.#random))
    else this.#putBack(machine)
  }

  #putBack(machine: MemoryFiles): void {
    const older = this.#older.get(machine)
    this.#older.set(machine, new Map(machine.files))
    if (older === undefined) return
    machine.files.clear()
    for (const [path, bytes] of older) machine.files.set(path, bytes)
  }
}

function flipped(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const changed = bytes.slice()
  if (changed.length > 0) changed[random.below(changed.length)]! ^= 1 << random.below(8)
  return changed
}

/** The files of a machine as one process sees them: its answers come late, and never when it is dead. */
class SimLocalFiles implements LocalFiles {
  readonly #process: SimProcess
  readonly #world: World
  readonly #machine: MemoryFiles
  readonly #beforeWrite: () => void

  constructor(process: SimProcess, world: World, machine: MemoryFiles, beforeWrite: () => void) {
    this.#process = process
    this.#world = world
    this.#machine = machine
    this.#beforeWrite = beforeWrite
  }

  read(path: string): Promise<Uint8Array | null> {
    return this.#answer(() => this.#machine.read(path))
  }

  write(path: string, bytes: Uint8Array): Promise<void> {
    this.#beforeWrite()
    return this.#answer(() => this.#machine.write(path, bytes))
  }

  async create(path: string): Promise<LocalFileWriter> {
    this.#beforeWrite()
    const writer = await this.#answer(() => this.#machine.create(path))
    return {
      append: (bytes) => this.#answer(() => writer.append(bytes)),
      close: () => this.#answer(() => writer.close()),
    }
  }

  async open(path: string): Promise<LocalFile | null> {
    const file = await this.#answer(() => this.#machine.open(path))
    if (file === null) return null
    return {
      sizeBytes: file.sizeBytes,
      readPieces: (offsets, lengthBytes, out) =>
        this.#answer(() => file.readPieces(offsets, lengthBytes, out)),
      close: () => file.close(),
    }
  }

  list(folder: string): Promise<readonly string[]> {
    return this.#answer(() => this.#machine.list(folder))
  }

  delete(path: string): Promise<void> {
    return this.#answer(() => this.#machine.delete(path))
  }

  #answer<T>(ask: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      ask().then(
        (value) => this.#later(() => resolve(value)),
        (error: unknown) => this.#later(() => reject(error)),
      )
    })
  }

  #later(answer: () => void): void {
    this.#world.scheduler.in(0.05, () => this.#process.deliver(answer))
  }
}
