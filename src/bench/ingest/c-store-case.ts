// C-STORE on one association: ours answers when the object is durable, sealed; Orthanc in the same run, by the same sender.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BenchCase } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { type ChildMeasurement, isInstalled, measureChild } from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';
import { encodeMrSlice } from './mr-slice.ts';

const targetRate = 680;

export const cStoreCase: BenchCase = {
  name: 'c-store',
  async run({ scratch, scale, say }) {
    const title = 'C-STORE on one association';
    const base = { name: 'c-store', title, unit: 'objects', peers: [], targets: [], ours: [] };
    if (!(await isInstalled('storescu', ['--version'])))
      return {
        ...base,
        description: 'Not measured.',
        notes: ['dcmtk is not on this machine: npm run setup:system'],
      };
    const count = Math.max(200, Math.round(2_000 * scale));
    const folder = emptyFolder(scratch, 'objects');
    let byteCount = 0;
    for (let index = 0; index < count; index += 1) {
      const bytes = encodeMrSlice(index);
      byteCount += bytes.length;
      writeFileSync(path.join(folder, `slice-${index}.dcm`), bytes);
    }
    const hasOrthanc = await isInstalled('/usr/sbin/Orthanc');
    const ours: ChildMeasurement[] = [];
    const imported: ChildMeasurement[] = [];
    const peers: ChildMeasurement[] = [];
    const measure = async (label: string, way: string) =>
      measureChild(
        await bundledProgram(label, 'c-store-child', [
          way,
          emptyFolder(scratch, `${way}-${label.length}`),
          folder,
          String(count),
        ]),
      );
    // In turn, so that what else the machine does is everybody's.
    for (const turn of ['', ', again', ', a third time']) {
      say(`  c-store${turn}`);
      ours.push(await measure(`Consilium, sealed and durable${turn}`, 'receive'));
      if (hasOrthanc) peers.push(await measure(`Orthanc, plain${turn}`, 'orthanc'));
    }
    say('  with the import beside it');
    imported.push(await measure('Consilium, until all is imported and de-identified', 'import'));
    const rate = medianRate(ours);
    const peerRate = medianRate(peers);
    return {
      ...base,
      description: `${count} MR slices of ${Math.round(byteCount / count / 1000)} KB from storescu (TCP_NODELAY=1) over loopback. Ours is acknowledged when it is sealed and durable in the inbox; the last row of ours counts until the last object is de-identified and in the store.`,
      ours: [...ours, ...imported],
      peers,
      targets: [
        {
          text: `at least ${targetRate} objects/s, median of three (${rate.toFixed(0)})`,
          isMet: rate >= targetRate,
        },
        ...(hasOrthanc
          ? [
              {
                text: `at least twice Orthanc in the same run (${(rate / peerRate).toFixed(1)} times)`,
                isMet: rate >= 2 * peerRate,
              },
            ]
          : []),
        {
          text: 'peak memory under 300 MB',
          isMet: [...ours, ...imported].every(({ peakMegabytes }) => (peakMegabytes ?? 0) < 300),
        },
      ],
      notes: hasOrthanc ? [] : ['Orthanc is not on this machine: npm run setup:system'],
    };
  },
};

function medianRate(measurements: readonly ChildMeasurement[]): number {
  return measurements.toSorted((left, right) => left.rate - right.rate)[1]?.rate ?? 0;
}
