import type { Logger } from '../../core/ports.ts'

/** What a library says when nobody gave it a logger. */
export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
