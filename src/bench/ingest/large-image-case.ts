// 100,000 MR slices in one import: memory stays, and the rate at the end is that of the start. Small pixels, whole headers: it is the number
// of files that is looked at, not of bytes.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BenchCase } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { measureChild } from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';
import { encodeMrSlice } from './mr-slice.ts';

const filesInFolder = 1_000;
const shape = { size: 32, slicesInSeries: 50, slicesOfPatient: 200 };

export const largeImageCase: BenchCase = {
  name: 'large-images',
  async run({ scratch, scale, say }) {
    const count = Math.max(2_000, Math.round(100_000 * scale));
    const source = emptyFolder(scratch, 'slices');
    say('  writes the slices');
    for (let index = 0; index < count; index += 1) {
      const folder = path.join(source, String(Math.floor(index / filesInFolder)));
      if (index % filesInFolder === 0) mkdirSync(folder);
      writeFileSync(path.join(folder, `slice-${index}.dcm`), encodeMrSlice(index, shape));
    }
    say('  Consilium');
    const words = ['files', emptyFolder(scratch, 'profile'), source];
    const ours = await measureChild(
      await bundledProgram('Consilium, sealed copies and index', 'import-child', words),
    );
    const { peakMegabytes, endRatio } = ours;
    return {
      name: 'large-images',
      title: 'A very large folder of DICOM images',
      unit: 'files',
      description: `${count} MR slices of 32 x 32 pixels with 97 elements and 4 KB of private ones, in one import.`,
      ours: [ours],
      peers: [],
      targets: [
        { text: 'peak memory under 300 MB', isMet: (peakMegabytes ?? 0) < 300 },
        {
          text: `rate at the end at least 80 % of that at the start (${((endRatio ?? 0) * 100).toFixed(0)} %)`,
          isMet: (endRatio ?? 0) >= 0.8,
        },
      ],
      notes: [],
    };
  },
};
