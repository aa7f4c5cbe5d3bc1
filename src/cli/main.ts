#!/usr/bin/env node
import { packageVersion } from '../io/package-version.ts'
import { processEnvironment } from '../io/process-environment.ts'
import { runCli } from './run-cli.ts'
import { terminalOf } from './terminal.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: terminalOf(process.stdout),
  stderr: terminalOf(process.stderr),
  environment: processEnvironment(process.env, process.cwd()),
  version: packageVersion(),
})
