/** Looks up an environment variable; where the value comes from (the process, `.env`, a secret file) is not our matter. */
export type Environment = (name: string) => string | undefined

/** Either the text with all variables put in, or why that cannot be, as the end of a sentence. */
export type Expanded = { readonly text: string } | { readonly fault: string }

const REFERENCE = /\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-?([^}]*))?\}/g

/**
 * Puts the values of variables in: `${NAME}` (must be set), `${NAME:default}` or `${NAME:-default}` (the default also
 * stands in for an empty value). `$${` is a plain `${`. What was put in is not looked at again.
 */
export function expandVariables(text: string, environment: Environment): Expanded {
  let fault: string | null = null
  const expanded = text.replace(REFERENCE, (_, escaped?: string, name?: string, fallback?: string) => {
    if (escaped !== undefined || name === undefined) return '${'
    const value = environment(name)
    if (value !== undefined && hasControlCharacter(value))
      fault ??= `the variable ${name} holds a line break or a NUL`
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value
    if (value === undefined)
      fault ??= `the variable ${name} is not set; set it, or give a default: \${${name}:…}`
    return value ?? ''
  })
  return fault === null ? { text: expanded } : { fault }
}

export function hasControlCharacter(value: string): boolean {
  return /[\0\r\n]/.test(value)
}
