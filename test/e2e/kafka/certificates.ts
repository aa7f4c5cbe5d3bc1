import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files in PEM form. */
export interface Certificates {
  /** Of the authority that signed the others. */
  readonly ca: string
  /** Key and certificate of the broker in one file, as Kafka wants it; good for 127.0.0.1 and `broker.test`. */
  readonly broker: string
  readonly client: { readonly cert: string; readonly key: string }
  /** An authority that nobody knows. */
  readonly strangerCa: string
}

/** A private authority, and what it signs, made by openssl for one run. */
export function makeCertificates(directory: string): Certificates {
  const at = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = (name: string) => {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)]
    openssl('req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, ...files)
    return at(`${name}.pem`)
  }
  const signed = (name: string, extensions: string) => {
    writeFileSync(at(`${name}.ext`), extensions)
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`))
    const signer = ['-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial']
    const files = ['-in', at(`${name}.csr`), '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`)]
    openssl('x509', '-req', '-days', '2', ...signer, ...files)
    return { cert: at(`${name}.pem`), key: at(`${name}.key`) }
  }
  const ca = authority('authority')
  const broker = signed('broker', 'subjectAltName=IP:127.0.0.1,DNS:broker.test\n')
  writeFileSync(at('broker-both.pem'), readFileSync(broker.key, 'utf8') + readFileSync(broker.cert, 'utf8'))
  return {
    ca,
    broker: at('broker-both.pem'),
    client: signed('client', 'extendedKeyUsage=clientAuth\n'),
    strangerCa: authority('stranger'),
  }
}
