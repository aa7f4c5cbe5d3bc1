import { parentPort, workerData } from 'node:worker_threads'
import { openTopicWork, type WorkSettings } from '../engine.ts'
import { serveWork } from './served-work.ts'

// Where a thread that does the work on topics begins: see `startWorkThread`.
serveWork(parentPort!, (host) => openTopicWork(workerData as WorkSettings, host))
