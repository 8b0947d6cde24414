import { afterEach, describe, expect, it } from 'vitest';
import { openWorkerPool, type WorkerPool } from './worker-pool.ts';

let pool: WorkerPool | undefined;
afterEach(() => pool?.close());

const openFaultyPool = (): WorkerPool => {
  pool = openWorkerPool({
    settings: {
      subjectKey: new Uint8Array(32),
      linkageKey: new Uint8Array(32),
      objectFolder: '/nowhere',
      maxFileBytes: 1_000,
    },
    workerCount: 2,
    takeSegment: () => null,
    giveBack: () => {},
    fileTimeoutMs: 400,
    entry: new URL('../../../../tests/support/faulty-import-worker.ts', import.meta.url),
  });
  return pool;
};

/** What became of files that do what their bytes say: the code each was refused with, or null. */
async function run(deeds: readonly number[]): Promise<(string | null)[]> {
  const done = await openFaultyPool().run({
    files: deeds.map((deed) => ({ file: { kind: 'bytes', bytes: Uint8Array.of(deed) }, waived: [] })),
    imaging: { keepsPixels: true, patientAuthority: 'dicom', authorities: new Map() },
    decide: (files) => files.map(() => ({ kind: 'skip' })),
  });
  return done.map(({ prepared }) => (prepared.kind === 'refused' ? prepared.code : null));
}

describe('the pool of import workers', () => {
  it('refuses the file that a worker died of, and does the rest of its job again', async () => {
    expect(await run([0, 1, 0, 1, 0])).toEqual([
      null,
      'DICOM_PROCESSING_FAILED',
      null,
      'DICOM_PROCESSING_FAILED',
      null,
    ]);
  });

  it('refuses the file that a worker hangs in, after its time', async () => {
    expect(await run([0, 2, 0])).toEqual([null, 'DICOM_TIMEOUT', null]);
  });

  it('gives up when workers die of nothing that a file did', async () => {
    await expect(run([0, 3])).rejects.toMatchObject({ code: 'BUG' });
  });

  it('lets nobody wait for a pool that was closed', async () => {
    const waiting = expect(run([2])).rejects.toMatchObject({ code: 'READER_STOPPED' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await pool?.close();
    await waiting;
  });

  it('hands on that the disk is full', async () => {
    await expect(run([4])).rejects.toMatchObject({ code: 'OBJECT_STORE_FULL', details: { found: 'ENOSPC' } });
  });
});
