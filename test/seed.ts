import fc from 'fast-check'

/**
 * One seed for all property tests, so that a run says the same twice. `PROPERTY_SEED=n make test` looks elsewhere;
 * a failure prints the seed and the path that lead back to it.
 */
fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 1) })
