import { afterEach, describe, expect, it } from 'vitest';
import { refusalCodeOf } from '#support/refusal-code.ts';
import { ImageThreads } from './image-threads.ts';

const moduleOf = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
const port = `import { parentPort } from 'node:worker_threads'; parentPort.postMessage({ kind: 'ready' });`;

let threads: ImageThreads | undefined;
afterEach(() => threads?.close());

function withThread(text: string, imageTimeoutMs = 200): ImageThreads {
  threads = new ImageThreads({ folder: '', threadCount: 1, imageTimeoutMs, entry: moduleOf(text) });
  return threads;
}

const request = { kind: 'summarise', objects: [] } as const;
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    ({ details }: { readonly details: Readonly<Record<string, unknown>> }) => details.reason ?? details.found,
  );

describe('an image thread', () => {
  it('that hangs is ended, and what it was at is refused', async () => {
    const hanging = withThread(`${port} parentPort.on('message', () => { for (;;); });`);
    expect(await reasonOf(hanging.run(request))).toBe('DICOM_TIMEOUT');
  });

  it('that dies fails what it was at, and another does what comes next', async () => {
    const dying = withThread(`${port} parentPort.on('message', () => process.exit(3));`);
    expect(await reasonOf(dying.run(request))).toBe('THREAD_DIED');
    expect(await reasonOf(dying.run(request))).toBe('THREAD_DIED');
  });

  it('that fails by a defect says its kind and no words', async () => {
    const failing = withThread(
      `${port} parentPort.on('message', () => parentPort.postMessage({ kind: 'failed', code: 'BUG', reason: 'RangeError' }));`,
    );
    expect(await refusalCodeOf(failing.run(request))).toBe('BUG');
    expect(await reasonOf(failing.run(request))).toBe('RangeError');
  });

  it('is gone when closing is done, closed once or twice', async () => {
    const hanging = withThread(`${port} parentPort.on('message', () => { for (;;); });`, 60_000);
    const work = refusalCodeOf(hanging.run(request));
    const waiting = refusalCodeOf(hanging.run(request));
    void hanging.close();
    await hanging.close();
    expect([await work, await waiting]).toEqual(['IMAGE_READING_STOPPED', 'IMAGE_READING_STOPPED']);
    expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
  });
});
