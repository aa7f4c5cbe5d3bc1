import {
  JSON_ARRAY,
  JSON_FALSE,
  JSON_INTEGER,
  JSON_NULL,
  JSON_OBJECT,
  JSON_REAL,
  JSON_TRUE,
  type JsonTape,
} from '../../schemas/decode/json-tape.ts'

/** The tree that `JSON.parse` would make, from the tape. */
export function jsonTree(json: JsonTape, token = 0): unknown {
  const end = json.next(token)
  switch (json.kind(token)) {
    case JSON_NULL:
      return null
    case JSON_TRUE:
      return true
    case JSON_FALSE:
      return false
    case JSON_INTEGER:
    case JSON_REAL:
      return Number(json.text(token))
    case JSON_ARRAY: {
      const elements: unknown[] = []
      for (let at = token + 1; at < end; at = json.next(at)) elements.push(jsonTree(json, at))
      return elements
    }
    case JSON_OBJECT: {
      const members: [string, unknown][] = []
      for (let at = token + 1; at < end; at = json.next(at + 1)) {
        members.push([json.text(at), jsonTree(json, at + 1)])
      }
      return Object.fromEntries(members)
    }
    default:
      return json.text(token)
  }
}
