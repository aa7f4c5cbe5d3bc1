import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { parseConfig } from '../../../src/config/parse-config.ts'

const DEPLOY = resolve(import.meta.dirname, '../../../deploy')
const read = (path: string) => readFileSync(join(DEPLOY, path), 'utf8')
const compose = parse(read('compose.yaml'))
const kubernetes = parseAllDocuments(read('kubernetes/alluvium.yaml')).map((each) => each.toJS())
const ofKind = (kind: string) => kubernetes.find((each) => each.kind === kind)
const pod = ofKind('Deployment').spec.template.spec
const [container] = pod.containers
const GRACE_SECONDS = 30

/** A configuration as the process would read it. */
function configOf(text: string, environment: Readonly<Record<string, string>>) {
  return parseConfig(text, 'alluvium.yaml', (name) => environment[name])
}

describe('compose.yaml', () => {
  const { services } = compose
  const engine = services.alluvium
  const config = configOf(read('alluvium.yaml'), engine.environment)

  test('gives a configuration that is valid, and whose hosts are its services', () => {
    const [pipeline] = config.pipelines
    const hosts = [
      ...(pipeline!.source.kind === 'kafka' ? pipeline!.source.brokers : []).map(
        (broker) => broker.split(':')[0],
      ),
      new URL(config.store.endpoint!).hostname,
      new URL(config.dq.source!.reveal()).hostname,
    ]
    expect(hosts).toEqual(['kafka', 'minio', 'postgres'])
    for (const host of hosts) expect(Object.keys(services)).toContain(host)
  })

  test('publishes every port on this machine alone, the status page among them', () => {
    const ports = Object.values<{ ports?: string[] }>(services).flatMap((service) => service.ports ?? [])
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
    expect(engine.ports).toEqual([`127.0.0.1:${config.http.listen.port}:${config.http.listen.port}`])
    expect(config.http.listen.host).toBe('0.0.0.0')
  })

  test('runs the engine without rights, on a root that nobody writes, with time to end', () => {
    expect(engine).toMatchObject({ read_only: true, cap_drop: ['ALL'], mem_limit: '512m' })
    expect(Number.parseInt(engine.stop_grace_period, 10)).toBeGreaterThan(GRACE_SECONDS)
  })

  test('gives the database what the documents ask of it', () => {
    expect(services.postgres.image).toMatch(/postgres:15-alpine$/)
    expect(services.postgres.command).toEqual(
      expect.arrayContaining(['wal_level=logical', 'max_replication_slots=10', 'max_wal_senders=10']),
    )
  })

  test('has a connector that reads the database of the demonstration into the topics of the configuration', () => {
    const connector = JSON.parse(read('connector/shop.json'))
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = services.postgres.environment
    expect(connector).toMatchObject({
      'database.hostname': 'postgres',
      'database.user': POSTGRES_USER,
      'database.password': POSTGRES_PASSWORD,
      'database.dbname': POSTGRES_DB,
    })
    const source = config.pipelines[0]!.source
    const topics = source.kind === 'kafka' ? source.topics : []
    const prefix = connector['topic.prefix']
    expect(topics).toEqual([
      `${prefix}.${connector['schema.include.list']}.*`,
      `__debezium-heartbeat.${prefix}`,
    ])
  })

  test('mounts only what is there, and names only volumes and services that it has', () => {
    for (const service of Object.values<{ volumes?: string[]; depends_on?: object | string[] }>(services)) {
      for (const volume of service.volumes ?? []) {
        const [from] = volume.split(':')
        if (from!.startsWith('.'))
          expect(readdirSync(join(DEPLOY, from!, '..'))).toContain(from!.split('/').at(-1))
        else expect(Object.keys(compose.volumes)).toContain(from)
      }
      const needed = service.depends_on ?? []
      const names = Array.isArray(needed) ? needed : Object.keys(needed)
      for (const name of names) expect(Object.keys(services)).toContain(name)
    }
  })

  test('pins every image to a version', () => {
    const images = Object.values<{ image?: string }>(services).flatMap(({ image }) => image ?? [])
    expect(images.filter((image) => !/:[\w.-]*\d[\w.-]*$/.test(image))).toEqual([])
  })

  test('has Prometheus scrape the engine under the job that the alert rules ask for', () => {
    const { scrape_configs, rule_files } = parse(read('prometheus/prometheus.yml'))
    expect(scrape_configs).toEqual([
      { job_name: 'alluvium', static_configs: [{ targets: [`alluvium:${config.http.listen.port}`] }] },
    ])
    expect(rule_files).toEqual(['/etc/prometheus/alerts.yml'])
    expect(read('prometheus/alerts.yml')).toContain('job="alluvium"')
    const { providers } = parse(read('grafana/provisioning/dashboards/alluvium.yaml'))
    expect(services.grafana.volumes).toContain(`./grafana/dashboards:${providers[0].options.path}:ro`)
  })
})

describe('the Kubernetes manifests', () => {
  const secrets = { POSTGRES_CONNECTION_STRING: 'postgresql://reader:x@db/shop' }
  const config = configOf(ofKind('ConfigMap').data['alluvium.yaml'], secrets)

  test('give a configuration that is valid and listens where the probes ask', () => {
    const [port] = container.ports
    expect(port.containerPort).toBe(config.http.listen.port)
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect(probe.httpGet.port).toBe(port.name)
    }
    expect(container.livenessProbe.httpGet.path).toBe('/health/live')
    expect(container.readinessProbe.httpGet.path).toBe('/health/ready')
    expect(ofKind('Service').spec.ports[0]).toMatchObject({
      port: config.http.listen.port,
      targetPort: port.name,
    })
  })

  test('run it as nobody, without rights, on a root that is not written', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(pod.automountServiceAccountToken).toBe(false)
  })

  test('leave it time to end, and mount what they name', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(GRACE_SECONDS)
    const volumes = pod.volumes.map(({ name }: { name: string }) => name)
    expect(container.volumeMounts.map(({ name }: { name: string }) => name).sort()).toEqual(volumes.sort())
    const [policy] = ofKind('NetworkPolicy').spec.ingress
    expect(policy.ports[0].port).toBe(container.ports[0].name)
  })

  test('select the pods that they make', () => {
    const labels = ofKind('Deployment').spec.template.metadata.labels
    expect(ofKind('Deployment').spec.selector.matchLabels).toEqual(labels)
    expect(ofKind('Service').spec.selector).toEqual(labels)
    expect(ofKind('NetworkPolicy').spec.podSelector.matchLabels).toEqual(labels)
  })
})

test('the image, the pod and the unit start the same command, with the same bound on the heap', () => {
  const image = read('Containerfile')
  const unit = read('systemd/alluvium.service')
  expect(image).toContain(`CMD ${JSON.stringify(container.args).replaceAll(',', ', ')}`)
  expect(unit).toContain(`/dist/src/cli/main.js ${container.args.join(' ')}`)
  expect(image).toMatch(/^USER 1000:1000$/m)
  expect(image).toMatch(/^EXPOSE 9464$/m)
  const heap = /--max-old-space-size=(\d+)/
  expect(heap.exec(unit)?.[1]).toBe(heap.exec(image)?.[1])
  expect(Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1])).toBeGreaterThan(GRACE_SECONDS)
})

describe('the permissions', () => {
  test('of the bucket are those that the engine asks for, on its own prefix alone', () => {
    const { Statement } = JSON.parse(read('permissions/s3-policy.json'))
    const actions = Statement.flatMap(({ Action }: { Action: string[] }) => Action)
    const asked = readFileSync(join(DEPLOY, '../src/io/s3-error.ts'), 'utf8')
    expect(actions).toHaveLength(5)
    for (const action of actions) expect(asked).toContain(action)
    for (const { Resource } of Statement) expect(Resource).toMatch(/^arn:aws:s3:::lake(?:\/delta\/\*)?$/)
  })

  test('of Kafka let it read topics and be a member of its groups, and write nothing', () => {
    const script = read('permissions/kafka-acls.sh')
    const operations = [...script.matchAll(/--operation (\w+)/g)].map(([, operation]) => operation)
    expect([...new Set(operations)].sort()).toEqual(['Describe', 'Read'])
  })

  test('of Postgres let the reader only look', () => {
    const grants = read('permissions/postgres-grants.sql')
    expect(grants).not.toMatch(/superuser|grant (?:all|insert|update|delete)/i)
    expect(grants).toMatch(/create role alluvium_reader login password/)
  })
})
