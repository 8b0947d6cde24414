// The ingest part of the made-up site: what comes of a file is told by its name.
import { implement } from '@orpc/server';
import { siteContract } from '#ipc/contract.ts';
import type { FileOutcome } from '#ipc/schema.ts';
import { storedOutcomes } from './fake-site-data.ts';
import { type FakeSite, refuse, wait } from './fake-site-router.ts';

const os = implement(siteContract);
const noRows = { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 };
const whole = { code: null, reason: null, refusals: [] };

/** Endings and words of a name -> what comes of the file; the last one fits every name. */
const outcomes: readonly [pattern: RegExp, outcome: Omit<FileOutcome, 'path'>][] = [
  [
    /bad/,
    {
      ...whole,
      outcome: 'rejected',
      format: null,
      code: 'NOT_RECOGNISED',
      reason: 'None of them.',
      rows: noRows,
    },
  ],
  [/unmapped/, { ...whole, outcome: 'rejected', format: 'csv', code: 'MAPPING_REQUIRED', rows: noRows }],
  [/quarantine/, { ...whole, outcome: 'quarantined', format: 'dicom', code: 'NOT_RECOGNISED', rows: noRows }],
  [/known/, { ...whole, outcome: 'duplicate', format: 'dicom', rows: { ...noRows, duplicate: 1 } }],
  [/\.dcm$/, { ...whole, outcome: 'accepted', format: 'dicom', rows: { ...noRows, accepted: 1 } }],
  [
    /./,
    {
      ...whole,
      outcome: 'accepted',
      format: 'csv',
      rows: { accepted: 40, duplicate: 2, rejected: 2, notNeeded: 5 },
      refusals: [
        { row: 7, code: 'BAD_NUMBER', field: 'chol' },
        { row: 12, code: 'BAD_DATE', field: 'index_date' },
      ],
    },
  ],
];

function outcomeFor(path: string, mapping: string | null): FileOutcome {
  // With a mapping a table goes in like any other.
  const name = mapping === null ? path : path.replace('unmapped', 'mapped');
  const outcome = outcomes.find(([pattern]) => pattern.test(name))?.[1];
  if (outcome === undefined) throw refuse('BAD_INPUT', 'A file without a name.');
  return { path, ...outcome };
}

export function ingestRouter(site: FakeSite) {
  const { state } = site;
  return {
    paths: os.ingest.paths.handler(() => {
      throw refuse('NOT_FOUND', 'Not in this fake.');
    }),
    open: os.ingest.open.handler(({ input }) => {
      state.files = input.files;
      state.pushed = [];
      state.mapping = input.mapping;
      state.batches += 1;
      return { batchId: `batch-${state.batches}`, order: input.files.map((_, index) => index) };
    }),
    push: os.ingest.push.handler(async ({ input }) => {
      const file = state.files[input.fileIndex];
      state.pushed.push({ fileIndex: input.fileIndex, offset: input.offset, isLast: input.isLast });
      if (site.options.pushDelayMs !== undefined) await wait(site.options.pushDelayMs);
      const outcome = input.isLast && file !== undefined ? outcomeFor(file.name, state.mapping) : null;
      const rows = outcome?.rows ?? { accepted: 40, duplicate: 2, rejected: 2, notNeeded: 5 };
      return {
        bytesRead: input.offset,
        rowCount: rows.accepted + rows.duplicate + rows.rejected + rows.notNeeded,
        file: outcome,
      };
    }),
    close: os.ingest.close.handler(({ input }) => {
      // Only what was read to its end: an import that was stopped leaves the others without an outcome.
      const files = state.files
        .filter((_, index) => state.pushed.some(({ fileIndex, isLast }) => isLast && fileIndex === index))
        .map((file) => outcomeFor(file.name, state.mapping));
      const count = (outcome: FileOutcome['outcome']): number =>
        files.filter((file) => file.outcome === outcome).length;
      const rows = (kind: keyof FileOutcome['rows']): number =>
        files.reduce((sum, file) => sum + file.rows[kind], 0);
      return {
        batchId: input.batchId,
        accepted: count('accepted'),
        duplicate: count('duplicate'),
        quarantined: count('quarantined'),
        rejected: count('rejected'),
        rowCounts: {
          accepted: rows('accepted'),
          duplicate: rows('duplicate'),
          rejected: rows('rejected'),
          notNeeded: rows('notNeeded'),
        },
        files,
        filesOmitted: 0,
        rows: { patient: 3, measurement: 40, consent: 3, sopInstance: count('accepted') },
      };
    }),
    outcomes: os.ingest.outcomes.handler(({ input }) => {
      const all = site.options.isEmpty
        ? []
        : storedOutcomes.filter((row) => site.options.isHostile || row.name.length < 40);
      return { total: all.length, outcomes: all.slice(input.offset, input.offset + input.limit) };
    }),
  };
}
