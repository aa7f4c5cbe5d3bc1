/**
 * How values turn into text must not hang on who asks: said at the beginning of a transaction, and over with it. Floats
 * and bytes are written without help of settings.
 */
export const PINNED_SETTINGS = `SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, MDY', true),
  set_config('intervalstyle', 'iso_8601', true), set_config('extra_float_digits', '1', true),
  set_config('bytea_output', 'hex', true)`
