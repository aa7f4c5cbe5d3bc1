import { type FlushPhases, noPhases } from '../core/fact.ts'
import type { Clock } from '../core/ports.ts'

/** Tells where the time of one flush goes: all of it goes somewhere. */
export class PhaseWatch {
  readonly phases: FlushPhases = noPhases()
  readonly #clock: Clock
  #markedMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#markedMs = clock.monotonicMs()
  }

  /** The time since the last mark was spent on this. */
  mark(phase: keyof FlushPhases): void {
    const nowMs = this.#clock.monotonicMs()
    this.phases[phase] += nowMs - this.#markedMs
    this.#markedMs = nowMs
  }

  /** Staging ends: part of it was waiting for the store. */
  markStaged(putMs: number): void {
    this.mark('encodeMs')
    this.phases.encodeMs -= putMs
    this.phases.putMs += putMs
  }
}
