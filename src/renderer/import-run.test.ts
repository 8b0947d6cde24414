import { describe, expect, it } from 'vitest';
import type { FileOutcome, IngestSummary } from '#ipc/schema.ts';
import { batchesOf, chunkBytes, createImportRun, encodeBase64, type ImportFile } from './import-run.ts';
import type { SiteClient } from './site-client.ts';

type Chunk = Parameters<SiteClient['ingest']['push']>[0];

const outcomeOf = (path: string, outcome: FileOutcome['outcome']): FileOutcome => ({
  path,
  outcome,
  format: null,
  code: null,
  reason: null,
  rows: { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 },
  refusals: [],
});
const summary: IngestSummary = {
  batchId: 'b',
  accepted: 1,
  duplicate: 0,
  quarantined: 0,
  rejected: 0,
  rowCounts: { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 },
  files: [],
  filesOmitted: 0,
  rows: {},
};

function fileOf(name: string, bytes: Uint8Array<ArrayBuffer>): ImportFile {
  return { name, size: bytes.length, slice: (start, end) => new Blob([bytes.slice(start, end)]) };
}

/** A site that takes chunks and refuses a file as a whole with its first chunk where `refuses` says so. */
function siteTaking(
  chunks: Chunk[],
  options: { order: number[]; refuses?: number; onPush?: () => void },
): SiteClient {
  const ingest = {
    open: async () => ({ batchId: 'b', order: options.order }),
    push: async (chunk: Chunk) => {
      chunks.push(chunk);
      options.onPush?.();
      const isOver = chunk.isLast || chunk.fileIndex === options.refuses;
      const outcome = chunk.fileIndex === options.refuses ? 'rejected' : 'accepted';
      return {
        bytesRead: chunk.offset,
        rowCount: 1,
        file: isOver ? outcomeOf(String(chunk.fileIndex), outcome) : null,
      };
    },
    close: async () => summary,
  };
  return { ingest } as unknown as SiteClient;
}

const decode = (chunks: readonly Chunk[]): Uint8Array =>
  Uint8Array.from(
    chunks.flatMap((chunk) => [...atob(chunk.bytes)].map((character) => character.charCodeAt(0))),
  );

describe('an import', () => {
  it('sends every byte once, in chunks of at most 1 MiB, the last one marked', async () => {
    const bytes = Uint8Array.from({ length: 2 * chunkBytes + 7 }, (_, index) => (index * 31) % 256);
    const chunks: Chunk[] = [];
    const run = createImportRun(siteTaking(chunks, { order: [0] }));
    await run.start([fileOf('a.csv', bytes)], null);
    expect(chunks.map(({ offset, isLast }) => [offset, isLast])).toEqual([
      [0, false],
      [chunkBytes, false],
      [2 * chunkBytes, true],
    ]);
    const sent = decode(chunks);
    expect(sent.length).toBe(bytes.length);
    expect(sent.findIndex((byte, index) => byte !== bytes[index])).toBe(-1);
    expect(run.store.get()).toMatchObject({
      state: 'done',
      totals: { bytesRead: bytes.length, filesOffered: 1, filesDone: 1 },
      summary: { rows: summary.rows },
    });
  });

  it('sends the files in the order that the site asks for', async () => {
    const chunks: Chunk[] = [];
    const run = createImportRun(siteTaking(chunks, { order: [2, 0, 1] }));
    await run.start(
      ['a', 'b', 'c'].map((name) => fileOf(name, Uint8Array.of(1))),
      null,
    );
    expect(chunks.map((chunk) => chunk.fileIndex)).toEqual([2, 0, 1]);
  });

  it('keeps images on their way together, and documents alone and in their order', async () => {
    let open = 0;
    let mostTogether = 0;
    const log: string[] = [];
    const names = ['1.dcm', '2.dcm', 'person.csv', '3.dcm', 'visit.csv'];
    const push = async ({ fileIndex }: Chunk) => {
      open += 1;
      const isAlone = names[fileIndex]?.endsWith('.csv') ?? false;
      if (isAlone) log.push(`${names[fileIndex]} beside ${open - 1}`);
      mostTogether = Math.max(mostTogether, open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open -= 1;
      return { bytesRead: 1, rowCount: 1, file: outcomeOf(names[fileIndex] ?? '', 'accepted') };
    };
    const site = siteTaking([], { order: [0, 1, 2, 3, 4] });
    const run = createImportRun({ ingest: { ...site.ingest, push } } as unknown as SiteClient);
    await run.start(
      names.map((name) => fileOf(name, Uint8Array.of(1))),
      null,
    );
    expect(mostTogether).toBe(2);
    expect(log).toEqual(['person.csv beside 0', 'visit.csv beside 0']);
    expect(run.store.get().state).toBe('done');
  });

  it('ends with the failure of any file that was on its way', async () => {
    const push = async ({ fileIndex }: Chunk) => {
      if (fileIndex === 1) throw new Error('closed');
      return { bytesRead: 1, rowCount: 1, file: outcomeOf('x', 'accepted') };
    };
    const site = siteTaking([], { order: [0, 1, 2] });
    const run = createImportRun({ ingest: { ...site.ingest, push } } as unknown as SiteClient);
    await run.start(
      ['1', '2', '3'].map((name) => fileOf(name, Uint8Array.of(1))),
      null,
    );
    expect(run.store.get()).toMatchObject({ state: 'failed', problem: { code: 'CONNECTION_LOST' } });
  });

  it('sends one empty last chunk for an empty file', async () => {
    const chunks: Chunk[] = [];
    await createImportRun(siteTaking(chunks, { order: [0] })).start([fileOf('a', new Uint8Array())], null);
    expect(chunks).toEqual([{ batchId: 'b', fileIndex: 0, offset: 0, bytes: '', isLast: true }]);
  });

  it('does not send the rest of a file that was refused as a whole, and goes on with the next', async () => {
    const chunks: Chunk[] = [];
    const big = fileOf('big', new Uint8Array(3 * chunkBytes));
    const run = createImportRun(siteTaking(chunks, { order: [0, 1], refuses: 0 }));
    await run.start([big, fileOf('small', Uint8Array.of(1))], null);
    expect(chunks.map((chunk) => chunk.fileIndex)).toEqual([0, 1]);
    expect(run.store.get().files.map((file) => file.outcome?.outcome)).toEqual(['rejected', 'accepted']);
  });

  it('stops between chunks and still closes the batch: what was not read is told', async () => {
    const chunks: Chunk[] = [];
    const site = siteTaking(chunks, { order: [0, 1], onPush: () => run.stop() });
    const files = [outcomeOf('a', 'rejected')];
    const close = async () => ({ ...summary, accepted: 0, rejected: 1, files });
    const run = createImportRun({ ingest: { ...site.ingest, close } } as unknown as SiteClient);
    await run.start([fileOf('a', new Uint8Array(3 * chunkBytes)), fileOf('b', Uint8Array.of(1))], null);
    expect(chunks).toHaveLength(1);
    const { state, totals, files: listed } = run.store.get();
    expect([state, totals.filesOffered, totals.filesDone, totals.files.rejected]).toEqual([
      'stopped',
      2,
      1,
      1,
    ]);
    expect(listed.map(({ outcome }) => outcome?.outcome)).toEqual(['rejected', undefined]);
  });

  it('counts every offered file once, also those that the site found inside another', async () => {
    const chunks: Chunk[] = [];
    const site = siteTaking(chunks, { order: [0, 1], refuses: 1 });
    const inside = ['a.zip/1.dcm', 'a.zip/2.dcm'].map((path) => outcomeOf(path, 'accepted'));
    const files = [outcomeOf('b', 'rejected'), ...inside];
    const withMembers = {
      ingest: { ...site.ingest, close: async () => ({ ...summary, accepted: 2, rejected: 1, files }) },
    } as unknown as SiteClient;
    const run = createImportRun(withMembers);
    await run.start(
      ['a.zip', 'b'].map((name) => fileOf(name, Uint8Array.of(1))),
      null,
    );
    const { totals, files: listed } = run.store.get();
    expect(listed.map((file) => [file.name, file.outcome?.outcome])).toEqual([
      ['b', 'rejected'],
      ['a.zip/1.dcm', 'accepted'],
      ['a.zip/2.dcm', 'accepted'],
    ]);
    expect(totals).toMatchObject({ filesOffered: 3, filesDone: 3, files: { accepted: 2, rejected: 1 } });
  });

  it('gives the files behind its entries, to be offered again', async () => {
    const run = createImportRun(siteTaking([], { order: [0, 1] }));
    const files = ['a', 'b'].map((name) => fileOf(name, Uint8Array.of(1)));
    await run.start(files, null);
    expect(run.filesOf([1])).toEqual([files[1]]);
    run.clear();
    expect(run.filesOf([1])).toEqual([]);
  });

  it('keeps the code of a failure', async () => {
    const failing = { ingest: { open: () => Promise.reject(new Error('closed')) } } as unknown as SiteClient;
    const run = createImportRun(failing);
    await run.start([fileOf('a', Uint8Array.of(1))], null);
    expect(run.store.get()).toMatchObject({ state: 'failed', problem: { code: 'CONNECTION_LOST' } });
  });
});

describe('more files than the site takes at once', () => {
  it('go in as several batches, tables together and first', () => {
    const names = ['1.dcm', 'person.csv', '2.dcm', '3', 'concept.CSV'].map((name) => ({ name }));
    expect(batchesOf(names, 2)).toEqual([[1, 4], [0, 2], [3]]);
    expect(batchesOf(names, 5)).toEqual([[0, 1, 2, 3, 4]]);
  });
});

describe('base64 of a chunk', () => {
  it.each([0, 1, 2, 3, 24_575, 24_576, 24_577, 100_000])(
    'of %i bytes gives them back, without a break inside',
    (length) => {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) % 256);
      const encoded = encodeBase64(bytes);
      expect(encoded).toMatch(/^[A-Za-z0-9+/]*={0,2}$/);
      expect([...atob(encoded)].map((character) => character.charCodeAt(0))).toEqual([...bytes]);
    },
  );
});
