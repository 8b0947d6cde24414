// De-identification of a folder of MR slices, file by file to a new folder: read, parse, look for drawn text, PS3.15, encode, write.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchCase } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { type ChildMeasurement, isInstalled, measureChild, nodeProgram } from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';
import { encodeMrSlice } from './mr-slice.ts';

const dcmjsChild = new URL('./dcmjs-child.ts', import.meta.url);
const pythonPeer = fileURLToPath(new URL('./dicom_peer.py', import.meta.url));
const targetRate = 935;

export const deidentifyCase: BenchCase = {
  name: 'deidentify',
  async run({ scratch, scale, say }) {
    const count = Math.max(200, Math.round(4_000 * scale));
    const source = emptyFolder(scratch, 'slices');
    let byteCount = 0;
    for (let index = 0; index < count; index += 1) {
      const bytes = encodeMrSlice(index);
      byteCount += bytes.length;
      writeFileSync(path.join(source, `slice-${index}.dcm`), bytes);
    }
    const ours: ChildMeasurement[] = [];
    for (const label of ['Consilium', 'Consilium, again', 'Consilium, a third time']) {
      say(`  ${label}`);
      const out = path.join(scratch, `out-${ours.length}`);
      ours.push(await measureChild(await bundledProgram(label, 'deidentify-child', [source, out])));
    }
    say('  peers');
    const dcmjsOut = emptyFolder(scratch, 'dcmjs');
    const peers = [
      await measureChild(
        nodeProgram('dcmjs, read and write only, one thread', dcmjsChild, [source, dcmjsOut]),
      ),
    ];
    const notes = [
      'KitwareMedical dicom-anonymizer, measured elsewhere on such slices: 187 files/s, one process.',
    ];
    const python = await pythonWithPydicom();
    if (python === null) notes.push('No Python with pydicom is on this machine: its row is left out.');
    else {
      const label = 'Python, pydicom, three rules by VR, one process';
      const words = [pythonPeer, source, emptyFolder(scratch, 'pydicom')];
      peers.push(await measureChild({ label, command: python, words }));
    }
    const rate = ours.toSorted((left, right) => left.rate - right.rate)[1]?.rate ?? 0;
    return {
      name: 'deidentify',
      title: 'De-identification of DICOM files, folder to folder',
      unit: 'files',
      description: `${count} MR slices of ${Math.round(byteCount / count / 1000)} KB. Ours in two threads: read, parse, look for drawn text, all rules of PS3.15 Table E.1-1, encode, write.`,
      ours,
      peers,
      targets: [
        {
          text: `at least ${targetRate} files/s, median of three (${rate.toFixed(0)})`,
          isMet: rate >= targetRate,
        },
        {
          text: 'peak memory under 300 MB',
          isMet: ours.every(({ peakMegabytes }) => (peakMegabytes ?? 0) < 300),
        },
      ],
      notes,
    };
  },
};

async function pythonWithPydicom(): Promise<string | null> {
  const words = ['-c', 'import importlib.util as u, sys; sys.exit(u.find_spec("pydicom") is None)'];
  for (const command of ['python3', '/usr/bin/python3']) {
    if (await isInstalled(command, words)) return command;
  }
  return null;
}
