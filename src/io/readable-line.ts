const COLOURS: Readonly<Record<number, string>> = {
  20: '\u001b[2m',
  30: '',
  40: '\u001b[33m',
  50: '\u001b[31m',
}
const NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error' }
const PLAIN = '\u001b[0m'

/** A line of the log for a person: `12:03:04 warn  message  table=public.orders code=E_PAUSED`. */
export function readableLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const colour = COLOURS[Number(level)] ?? ''
  const at = new Date(Number(time)).toISOString().slice(11, 19)
  const name = `${colour}${NAMES[Number(level)] ?? String(level)}${colour === '' ? '' : PLAIN}`
  const rest = Object.entries(fields).map(([key, value]) => `  ${key}=${textOf(value)}`)
  return `${at} ${name} ${printed(String(msg ?? ''))}${rest.join('')}\n`
}

function textOf(value: unknown): string {
  return printed(typeof value === 'string' ? value : JSON.stringify(value))
}

/** What others wrote moves no cursor. */
function printed(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}
