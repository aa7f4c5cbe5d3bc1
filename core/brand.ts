declare const brand: unique symbol

/** A type that the compiler keeps apart from its base: a `KafkaOffset` is not just any `bigint`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
