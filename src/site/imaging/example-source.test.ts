import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isCodedError } from '#base/coded-error.ts';
import type { MemberImages } from '#site/cohort/index.ts';
import { type ManySlices, makeManySlices, squareOf, storedPixels } from '#support/many-slices.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';
import { type ExampleSource, type ExampleSourceOptions, openExampleSource } from './index.ts';

const size = 16;
const slicesPerPatient = 4;
const imaging = {
  modality: 'MR',
  bodyPart: null,
  series: 'segmented',
  rows: 8,
  columns: 8,
  intensityPercentile: 90,
} as const;

let slices: ManySlices | undefined;
const opened: ExampleSource[] = [];
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  slices?.close();
  slices = undefined;
});

function made(patientCount = 3): ManySlices {
  slices = makeManySlices({ patientCount, slicesPerPatient, size });
  return slices;
}

async function openSource(
  { store, folder, members }: ManySlices,
  changes: Partial<ExampleSourceOptions> = {},
): Promise<ExampleSource> {
  const options = { store, folder, members, imaging, hasMasks: true, minimumUnits: 1, threadCount: 1 };
  const source = await openExampleSource({ ...options, ...changes });
  opened.push(source);
  return source;
}

const all = (source: ExampleSource): Int32Array => Int32Array.from({ length: source.count }, (_, at) => at);

/** Means of two by two, as the format says them, over the patient's nearest-rank percentile. */
function expectedInput(at: number): number[] {
  const pixels = Array.from({ length: slicesPerPatient }, (_, slice) => [...storedPixels(slice, size)]);
  const sorted = pixels.flat().sort((left, right) => left - right);
  const divisor = sorted[Math.ceil((90 * sorted.length) / 100) - 1] ?? Number.NaN;
  const of = pixels[at] ?? [];
  return Array.from({ length: 64 }, (_, pixel) => {
    const first = Math.floor(pixel / 8) * 2 * size + (pixel % 8) * 2;
    const sum = [first, first + 1, first + size, first + size + 1].reduce(
      (total, one) => total + (of[one] ?? 0),
      0,
    );
    return Math.fround(sum / 4 / divisor);
  });
}

describe('examples', () => {
  it('are all slices of all patients, patient by patient', async () => {
    const source = await openSource(made());
    expect([source.count, source.unitCount, source.leftOut]).toEqual([12, 3, []]);
    expect([...all(source)].map((example) => source.unitOf(example))).toEqual([
      0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
    ]);
    expect([source.inputShape, source.targetShape]).toEqual([
      [8, 8, 1],
      [8, 8, 1],
    ]);
  });

  it('are the numbers that the format says, with their masks', async () => {
    const source = await openSource(made());
    const { inputs, targets } = await source.read(Int32Array.of(6, 1));
    expect([...inputs.subarray(0, 64)]).toEqual(expectedInput(2));
    expect([...inputs.subarray(64)]).toEqual(expectedInput(1));
    const mask = Array.from({ length: 64 }, (_, at) =>
      Number(squareOf(size, Math.floor(at / 8) * 2 + 1, (at % 8) * 2 + 1)),
    );
    expect([...targets]).toEqual([...mask, ...mask]);
    expect(mask.filter((pixel) => pixel === 1)).toHaveLength(16);
  });

  it('have their patient’s label where that is what is learnt', async () => {
    const many = made();
    const members = many.members.map((member, at): MemberImages => ({ ...member, label: at % 2 }));
    const source = await openSource(many, { members, hasMasks: false });
    expect(source.targetShape).toEqual([1]);
    expect([...(await source.read(Int32Array.of(0, 4, 7, 8))).targets]).toEqual([0, 1, 1, 0]);
  });

  it('are without patients of whom nothing can be read, and refused where too few are left', async () => {
    const many = made();
    many.store.prepare('UPDATE sop_instance SET object_no = NULL WHERE sop_instance_no = 1').run();
    const source = await openSource(many);
    expect([source.count, source.unitCount]).toEqual([8, 2]);
    expect(source.leftOut).toEqual([{ reason: 'image-not-kept', seriesCount: 1 }]);
    expect(await refusalCodeOf(openSource(many, { minimumUnits: 3 }))).toBe('IMAGES_TOO_FEW');
  });

  it('are told apart from what a thread makes of them by nothing: one or two, kept or read again', async () => {
    const many = made();
    const order = [Int32Array.of(3, 0, 11), Int32Array.of(5, 5, 2), Int32Array.of(3, 7)];
    const runs: string[][] = [];
    for (const changes of [{ preparedBytes: 0 }, {}, { threadCount: 2, preparedBytes: 1500 }]) {
      const source = await openSource(many, changes);
      for (let epoch = 0; epoch < 2; epoch += 1) {
        const found: string[] = [];
        for await (const { examples, inputs, targets } of source.stream(order))
          found.push(`${examples}: ${Buffer.from(inputs.buffer).toString('hex')} ${targets}`);
        runs.push(found);
      }
    }
    expect(runs).toHaveLength(6);
    expect(new Set(runs.map((run) => run.join('\n'))).size).toBe(1);
  });
});

describe('a stream', () => {
  function* endless(asked: { count: number }): Generator<Int32Array> {
    for (;;) {
      asked.count += 1;
      yield Int32Array.of(asked.count % 12, (asked.count * 5) % 12);
    }
  }

  it('is a few batches ahead and no more', async () => {
    const source = await openSource(made(), { preparedBytes: 0 });
    const asked = { count: 0 };
    let used = 0;
    for await (const _ of source.stream(endless(asked))) {
      used += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(asked.count - used).toBeLessThanOrEqual(2);
      if (used === 30) break;
    }
    expect(used).toBe(30);
  });

  it('leaves no thread or handle behind, wherever it is left', async () => {
    const before = resources();
    const source = await openSource(made());
    for await (const _ of source.stream(endless({ count: 0 }))) break;
    expect(resources()).not.toEqual(before);
    await source.close();
    expect(resources()).toEqual(before);
    expect(await refusalCodeOf(source.read(Int32Array.of(0)))).toBe('IMAGE_READING_STOPPED');
  });

  it('stops with its signal, at once', async () => {
    const before = resources();
    const { signal, abort } = abortable();
    const source = await openSource(made(), { signal, preparedBytes: 0 });
    const stream = source.stream(endless({ count: 0 }));
    await stream.next();
    abort();
    const rest = (async () => {
      for await (const _ of stream);
    })();
    expect(await refusalCodeOf(rest)).toBe('IMAGE_READING_STOPPED');
    await source.close();
    expect(resources()).toEqual(before);
  });

  it('stops with its signal where every slice is kept prepared', async () => {
    const { signal, abort } = abortable();
    const source = await openSource(made(), { signal });
    await source.read(all(source));
    abort();
    expect(await refusalCodeOf(source.read(Int32Array.of(0)))).toBe('IMAGE_READING_STOPPED');
  });

  it('is not begun where the signal came before', async () => {
    const { signal, abort } = abortable();
    abort();
    expect(await refusalCodeOf(openSource(made(), { signal }))).toBe('IMAGE_READING_STOPPED');
  });
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** What keeps a process going. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => !/^(Timeout|Immediate|PipeWrap|TTYWrap)$/.test(name))
    .sort();
}

describe('images that are not as they were', () => {
  it('fail the run by code, and name nobody', async () => {
    const many = made();
    damageEveryImage(many.folder);
    const error = await openSource(many).catch((thrown: unknown) => thrown);
    if (!isCodedError(error)) throw error;
    expect([error.code, error.details]).toEqual(['IMAGE_UNREADABLE', { reason: 'OBJECT_UNREADABLE' }]);
    expect(`${error.message}${error.stack}${JSON.stringify(error.details)}`).not.toMatch(
      /1\.1000000|\.segment/,
    );
  });

  it('fail it in the middle too', async () => {
    const many = made();
    const source = await openSource(many);
    damageEveryImage(many.folder);
    expect(await refusalCodeOf(source.read(Int32Array.of(0)))).toBe('IMAGE_UNREADABLE');
  });

  it('are not read of somebody who withdrew while they were', async () => {
    const many = made();
    const source = await openSource(many);
    // One of them is kept prepared.
    await source.read(Int32Array.of(4));
    many.store.prepare('DELETE FROM sop_instance WHERE imaging_series_no = 3').run();
    expect(await refusalCodeOf(source.read(Int32Array.of(4)))).toBe('IMAGES_CHANGED');
    expect(await refusalCodeOf(source.read(Int32Array.of(0, 5)))).toBe('IMAGES_CHANGED');
    expect((await source.read(Int32Array.of(0))).inputs).toHaveLength(64);
  });

  it('are not read where more of them came since the cohort was frozen', async () => {
    const many = made();
    const [first, ...others] = many.members;
    const series = (first?.series ?? []).map((one) => ({ ...one, imageCount: one.imageCount - 1 }));
    const members = [{ series, label: Number.NaN }, ...others];
    expect(await refusalCodeOf(openSource(many, { members }))).toBe('IMAGES_CHANGED');
  });
});

function damageEveryImage(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    writeFileSync(file, readFileSync(file).fill(0));
  }
}

describe('what reading a series gave', () => {
  const summaries = ({ store }: ManySlices) =>
    store.prepareColumn('SELECT imaging_series_no FROM series_summary ORDER BY 1').all();

  it('is read once, and not in a later run', async () => {
    const many = made();
    const progress: number[] = [];
    const first = await openSource(many, { onProgress: (done, total) => progress.push(done, total) });
    expect(progress).toEqual([1, 3, 2, 3, 3, 3]);
    const { inputs } = await first.read(all(first));
    // The pixels of an image are opened where a slice is read, those of the series for its summary not any more.
    const before = many.store.all(many.store.query.selectFrom('series_summary').selectAll());
    const second = await openSource(many);
    expect((await second.read(all(second))).inputs).toEqual(inputs);
    expect(many.store.all(many.store.query.selectFrom('series_summary').selectAll())).toEqual(before);
    const masks = many.members.map(({ series, label }) => ({
      label,
      series: series.map((one) => ({ ...one, segmentationNos: [] })),
    }));
    damageEveryImage(many.folder);
    expect((await openSource(many, { members: masks })).count).toBe(12);
  });

  it('is erased with any image of the series, and with no other', async () => {
    const many = made();
    await openSource(many);
    expect(summaries(many)).toEqual([1, 3, 5]);
    many.store.prepare('DELETE FROM sop_instance WHERE sop_instance_uid = ?').run('1.1000001.1.2');
    expect(summaries(many)).toEqual([1, 5]);
  });

  it('is made again when an image comes', async () => {
    const many = made();
    await openSource(many);
    many.store
      .prepare(
        `INSERT INTO sop_instance (sop_instance_uid, imaging_series_no, sop_class_uid, transfer_syntax_uid, frame_count, source_digest, outcome_id)
        VALUES ('1.9', 1, '1', '1', 0, x'01', 0)`,
      )
      .run();
    expect(summaries(many)).toEqual([3, 5]);
  });
});
