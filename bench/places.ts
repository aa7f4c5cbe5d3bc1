import { join, resolve } from 'node:path'

/** Where a measurement finds and leaves things. This file runs as `.bench/js/bench/places.js`. */
export const ROOT = resolve(import.meta.dirname, '../../..')
export const WORK = join(ROOT, '.bench')
export const DATA = join(WORK, 'data')
export const TABLES = join(WORK, 'tables')
export const RESULTS = join(ROOT, 'bench/results')
export const PYTHON = join(WORK, 'venv/bin/python')
/** Installed by `make e2e`. */
export const SPARK_PYTHON = join(ROOT, '.readers/spark/bin/python')
export const SPARK_JARS = join(ROOT, '.readers/jars')

export const script = (path: string): string => join(ROOT, 'bench', path)
export const compiled = (path: string): string => join(WORK, 'js/bench', path)
