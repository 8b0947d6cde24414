// A thread that stands in for the one that de-identifies: it hangs at files that are called so, and dies at others.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ files }) => {
  for (const { index, path } of files) {
    while (path === 'hangs');
    if (path === 'dies') throw new Error('died');
    parentPort.postMessage({ index, result: { outcome: 'written', output: path, mayShowFace: false } });
  }
});
