import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { BenchReport } from '../../../../src/bench/bench-run.ts'
import { runCommand } from '../../../support/cli-run.ts'

describe('alluvium bench', () => {
  test('measures appends and upserts into scratch tables, and leaves the lake as it was', async () => {
    const lake = mkdtempSync(join(tmpdir(), 'alluvium-bench-'))
    writeFileSync(join(lake, 'mine.txt'), 'stays')
    const { exitCode, stdout } = await runCommand(['bench', '--lake', lake, '--time', '200ms', '--json'])
    expect(exitCode).toBe(0)
    const { reports } = JSON.parse(stdout) as { reports: readonly BenchReport[] }
    expect(reports.map(({ mode }) => mode)).toEqual(['append', 'upsert'])
    for (const { events, eventsPerSecond, commits, commit, logEntry, requests } of reports) {
      expect(events).toBeGreaterThanOrEqual(1000)
      expect(eventsPerSecond).toBeGreaterThan(0)
      expect(commits).toBeGreaterThanOrEqual(1)
      expect(commit.p99Ms).toBeGreaterThanOrEqual(commit.p50Ms)
      expect(logEntry.count).toBeGreaterThanOrEqual(commits)
      expect(requests.put?.count).toBeGreaterThanOrEqual(1)
    }
    expect(readdirSync(lake)).toEqual(['mine.txt'])
  })
})
