import { z } from 'zod'
import { configSchema } from './config-schema.ts'

/** The parts of a JSON schema that are looked at here. */
export interface JsonSchema {
  readonly type?: string
  /** A secret: it is taken and never shown. */
  readonly writeOnly?: boolean
  readonly description?: string
  /** What holds when the key is left out. */
  readonly without?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

const VARIABLE = { type: 'string', pattern: '\\$\\{' } as const

/** The shape of `alluvium.yaml` as it is checked, every variable put in. */
export function configShape(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema
}

/** The same for editors, which see the file before its variables are put in: they may stand wherever a plain value does. */
export function configJsonSchema(): JsonSchema {
  return { ...withVariables(configShape()), title: 'alluvium.yaml' } as JsonSchema
}

function withVariables(whole: JsonSchema): JsonSchema {
  const schema = withDefaultTold(whole)
  const { properties, additionalProperties, items, anyOf } = schema
  const inner = {
    ...schema,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, each]) => [key, withVariables(each)]),
          ),
        }),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: withVariables(additionalProperties) }
      : {}),
    ...(items === undefined ? {} : { items: withVariables(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(withVariables) }),
  }
  return isObject(schema) ? orNothing(inner) : orVariable(inner)
}

function withDefaultTold({ without, ...schema }: JsonSchema): JsonSchema {
  if (without === undefined) return schema
  const told = typeof without === 'string' ? without : JSON.stringify(without)
  return { ...schema, description: `${schema.description} Without it: ${told}.` }
}

function isObject({ type }: JsonSchema): boolean {
  return type === 'object'
}

/** A key with nothing behind it (`public.customers:`) is an empty object, unless something in it must be said. */
function orNothing(schema: JsonSchema): JsonSchema {
  return (schema.required ?? []).length > 0
    ? schema
    : ({ ...schema, type: ['object', 'null'] } as unknown as JsonSchema)
}

function orVariable({ description, ...rest }: JsonSchema): JsonSchema {
  const isPlainText = rest.type === 'string' && rest.enum === undefined && !('pattern' in rest)
  const about = description === undefined ? {} : { description }
  return isPlainText ? { ...about, ...rest } : { ...about, anyOf: [rest, VARIABLE] }
}
