// A large import: 2 GB of FHIR NDJSON. Memory must not grow with the file, and the rate must hold to its end.
import path from 'node:path';
import type { BenchCase } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { measureChild } from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';
import { writeFhirExport } from './fhir-export.ts';

export const largeNdjsonCase: BenchCase = {
  name: 'large-ndjson',
  async run({ scratch, scale }) {
    const made = writeFhirExport(path.join(scratch, 'export.ndjson'), 2e9 * scale);
    const profile = emptyFolder(scratch, 'profile');
    const run = await measureChild(
      await bundledProgram('Consilium', 'import-child', ['bytes', profile, made.file]),
    );
    const { course, ...ours } = run;
    const step = Math.max(1, Math.floor(course.length / 60));
    return {
      name: 'large-ndjson',
      title: 'A large FHIR export',
      unit: 'MB',
      description: `${(made.byteCount / 1e6).toFixed(0)} MB, ${made.resourceCount} resources, in one file.`,
      ours: [ours],
      peers: [],
      targets: [
        { text: 'peak memory under 300 MB', isMet: (ours.peakMegabytes ?? Number.POSITIVE_INFINITY) < 300 },
        {
          text: 'rate at the end at least 80 % of the rate at the start',
          isMet: (ours.endRatio ?? 0) >= 0.8,
        },
      ],
      notes: [],
      charts: [
        {
          kind: 'lines',
          caption: 'What was imported by then',
          xLabel: 'seconds',
          yLabel: 'MB',
          lines: [{ label: 'Consilium', points: course.filter((_, index) => index % step === 0) }],
        },
      ],
    };
  },
};
