import { DEFAULT_LISTEN } from './default-config.ts'

/** Name of the JSON schema that `init` puts beside the configuration, so that editors know it without the internet. */
export const SCHEMA_FILE = 'alluvium.schema.json'

/** What `alluvium init` writes: a configuration that holds as it stands, with what is mostly changed explained. */
export const STARTER = `# yaml-language-server: $schema=./${SCHEMA_FILE}
#
# alluvium: Debezium topics become Delta Lake tables. An unknown key is an error that names the nearest known one.
# \${NAME} is a variable of the environment or of .env, \${NAME:default} one that may be missing; NAME_FILE names a file
# that holds it. \`alluvium config check\` says whether all of it holds, \`alluvium doctor\` whether the world fits to it.

# A directory, or s3://bucket/prefix. Credentials come from the AWS chain (variables, profile, role), never from here.
lake: ./lake
# store: { endpoint: "http://127.0.0.1:9000", pathStyle: true }      # a store of your own that speaks S3

# dev warns of secrets in this file and of networks in clear beyond this machine; prod refuses them.
profile: \${ALLUVIUM_PROFILE:dev}

pipelines:
  postgres-cdc:
    source:
      kafka:
        brokers: \${POSTGRES_CDC_BROKER_ADDRESS:127.0.0.1:9092}
        topics: ["shop.public.*"]
        groupId: alluvium
        # ssl: true
        # sasl: { mechanism: scram-sha-512, username: alluvium, password: "\${KAFKA_PASSWORD}" }

    # How old a change may get before it is in its table. Shorter is fresher, and costs more requests on S3.
    freshness: 1s

    # What the database is asked for, by \`alluvium setup postgres\`. The URL comes from POSTGRES_CONNECTION_STRING.
    postgres:
      publication: alluvium
      slot: alluvium
      tables: [public.customers, public.orders]

    # Kafka Connect, by \`alluvium connector register\`. Passwords are named there, not sent.
    connector:
      url: \${CONNECT_URL:http://127.0.0.1:8083}
      topicPrefix: shop

    tables:
      public.customers: { key: [customer_id] }
      # public.events: { mode: append, columns: { id: bigint, at: timestamptz } }
      "*": {}

# When the lake is held against the source (cron). The URL comes from POSTGRES_CONNECTION_STRING here too.
dq: { schedule: { row-count: "* * * * *", checksum: "0 3 * * *" } }

# Health, metrics and the status page.
http: { listen: "${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port}" }
`

/** \`.env\` beside it: copied to \`.env\` and filled in. */
export const STARTER_ENVIRONMENT = `# Copy to .env and fill in. What the process itself is given stands above this file; both stand above alluvium.yaml.
POSTGRES_CONNECTION_STRING=postgresql://postgres@localhost:5432/postgres
# POSTGRES_CONNECTION_STRING_FILE=/run/secrets/postgres
# KAFKA_PASSWORD_FILE=/run/secrets/kafka
# ALLUVIUM_PROFILE=prod
# LOG_LEVEL=info
`
