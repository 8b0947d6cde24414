// OMOP CDM 5.4: a measurement table of two million rows and twenty columns, each row validated and stored encrypted.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchCase } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import {
  busyNote,
  type ChildMeasurement,
  isInstalled,
  measureChild,
  nodeProgram,
} from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';
import { writeOmopExport } from './omop-export.ts';

const peerChild = new URL('./peer-child.ts', import.meta.url);
const pythonPeer = fileURLToPath(new URL('./peer.py', import.meta.url));
const targetRate = 180_000;
const stretchRate = 275_000;

export const omopCase: BenchCase = {
  name: 'omop',
  async run({ scratch, scale, say }) {
    const made = writeOmopExport(path.join(scratch, 'omop'), Math.round(2e6 * scale));
    const ours: ChildMeasurement[] = [];
    for (const [index, label] of ['Consilium', 'Consilium, again', 'Consilium, a third time'].entries()) {
      say(`  ${label}`);
      const profile = emptyFolder(scratch, `profile-${index}`);
      ours.push(
        await measureChild(await bundledProgram(label, 'import-child', ['rows', profile, made.folder])),
      );
    }
    say('  peers');
    const peers = [
      await measureChild(nodeProgram('Node, csv-parse only', peerChild, ['csv-parse', made.file])),
      await measureChild(
        nodeProgram('Node, csv-parse and better-sqlite3, encrypted', peerChild, [
          'csv-sqlite',
          made.file,
          path.join(scratch, 'node.db'),
        ]),
      ),
    ];
    const notes = [
      busyNote(ours),
      'The one thread that writes is the limit: inserts, commits and checkpoints of encrypted pages, and new patients (docs/adr/0011).',
    ];
    if (await isInstalled('python3')) {
      const words = [pythonPeer, 'csv', made.file, path.join(scratch, 'python.db')];
      peers.push(
        await measureChild({ label: 'Python, csv and sqlite3, untyped, plain', command: 'python3', words }),
      );
    } else notes.push('python3 is not on this machine: its row is left out.');
    const median = ours.toSorted((left, right) => left.rate - right.rate)[1] ?? ours[0];
    const rate = median?.rate ?? 0;
    return {
      name: 'omop',
      title: 'OMOP measurements into the encrypted store',
      unit: 'rows',
      description: `${made.rowCount} measurements of twenty columns (${(made.byteCount / 1e6).toFixed(0)} MB) of ${Math.ceil(made.rowCount / 40)} persons. Person and concept tables are imported in the same run, and their time counts.`,
      ours,
      peers,
      targets: [
        {
          text: `at least ${targetRate} rows/s, median of three (${rate.toFixed(0)})`,
          isMet: rate >= targetRate,
        },
        { text: `stretch: ${stretchRate} rows/s`, isMet: rate >= stretchRate },
        {
          text: 'peak memory under 300 MB',
          isMet: ours.every(({ peakMegabytes }) => (peakMegabytes ?? 0) < 300),
        },
      ],
      notes,
    };
  },
};
