// A thread for one analysis: it reads the store in one state, beside the site, which goes on with its work. It ends with its answer.
import { parentPort, workerData } from 'node:worker_threads';
import { isCodedError } from '#base/coded-error.ts';
import { openStoreReader } from '#site/store/index.ts';
import type { AnalysisMessage, AnalysisThreadData } from './analyses.ts';
import { analyse } from './analysis.ts';

const { request, door, nowMs } = workerData as AnalysisThreadData;
const post = (message: AnalysisMessage) => parentPort?.postMessage(message);
try {
  const store = openStoreReader({ ...door, clock: { nowMs: () => nowMs } });
  try {
    const value = analyse(request, {
      store,
      door,
      onProgress: (progress) => post({ kind: 'progress', progress }),
    });
    post({ kind: 'done', value });
  } finally {
    store.close();
  }
} catch (error) {
  // The message could hold a path or a value: its code is enough.
  post({ kind: 'failed', code: isCodedError(error) ? error.code : 'BUG' });
}
