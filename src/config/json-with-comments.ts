/**
 * JSON text without the comments (`// …`, `/* … *\/`) that people put into configuration files; what stands inside of
 * texts stays.
 */
export function withoutComments(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (found) =>
    found.startsWith('"') ? found : ' ',
  )
}
