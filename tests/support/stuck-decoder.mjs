// A decoding thread that hangs, dies or runs out of memory, as the first byte of the object says. For tests of the decoder's limits.
import { parentPort } from 'node:worker_threads';

parentPort?.postMessage({ kind: 'ready' });
parentPort?.on('message', ({ bytes }) => {
  const [what] = bytes;
  if (what === 1) for (;;);
  if (what === 2) process.exit(7);
  if (what === 3) throw new Error('Doe^Jane');
  if (what === 4) {
    const held = [];
    for (;;) held.push(new Array(1_000_000).fill(held.length));
  }
  parentPort?.postMessage({ kind: 'decoded', image: null });
});
