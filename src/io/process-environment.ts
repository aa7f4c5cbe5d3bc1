import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Environment } from '../config/environment.ts'
import { systemCode, toEngineError } from './fs-error.ts'

/**
 * Variables of the process, then those of `.env` in the working directory, then, for `NAME`, the content of the file
 * that `NAME_FILE` points at (how containers hand secrets over). A file is read only when its variable is asked for.
 */
export function processEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  directory: string,
): Environment {
  const local: NodeJS.Dict<string> = parseEnv(readOptional(join(directory, '.env')) ?? '')
  const lookUp = (name: string) => variables[name] ?? local[name]
  return (name) => {
    const value = lookUp(name)
    if (value !== undefined) return value
    const file = lookUp(`${name}_FILE`)
    return file === undefined || file === '' ? undefined : readOptional(file)?.trimEnd()
  }
}

function readOptional(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw toEngineError(error, `cannot read ${path}`)
  }
}

/** The environment of this process, for programs that use us as a library. */
export function hostEnvironment(): Environment {
  return processEnvironment(process.env, process.cwd())
}
