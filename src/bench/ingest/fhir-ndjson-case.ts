// FHIR Bulk Data NDJSON: 200 MB in the mix of a Synthea export, every resource validated, what belongs in the store stored encrypted.
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
import { writeFhirExport } from './fhir-export.ts';

const peerChild = new URL('./peer-child.ts', import.meta.url);
const pythonPeer = fileURLToPath(new URL('./peer.py', import.meta.url));
const targetRate = 130;

export const fhirNdjsonCase: BenchCase = {
  name: 'fhir-ndjson',
  async run({ scratch, scale, say }) {
    const made = writeFhirExport(path.join(scratch, 'export.ndjson'), 200e6 * scale);
    const ours: ChildMeasurement[] = [];
    for (const [index, label] of ['Consilium', 'Consilium, again', 'Consilium, a third time'].entries()) {
      say(`  ${label}`);
      const profile = emptyFolder(scratch, `profile-${index}`);
      ours.push(
        await measureChild(await bundledProgram(label, 'import-child', ['bytes', profile, made.file])),
      );
    }
    say('  peers');
    const peers = [
      await measureChild(
        nodeProgram('Node, JSON.parse of each line only', peerChild, ['json-parse', made.file]),
      ),
    ];
    const notes = [busyNote(ours)];
    if (await isInstalled('python3')) {
      for (const [label, name] of [
        ['Python, json.loads of each line only', 'json'],
        ['Python, json and sqlite3, Observations, plain', 'observations'],
      ] as const) {
        const words = [pythonPeer, name, made.file, path.join(scratch, `${name}.db`)];
        peers.push(await measureChild({ label, command: 'python3', words }));
      }
    } else notes.push('python3 is not on this machine: its rows are left out.');
    const median = ours.toSorted((left, right) => left.rate - right.rate)[1] ?? ours[0];
    const rate = median?.rate ?? 0;
    return {
      name: 'fhir-ndjson',
      title: 'FHIR Bulk Data NDJSON into the encrypted store',
      unit: 'MB',
      description: `${(made.byteCount / 1e6).toFixed(0)} MB, ${made.resourceCount} resources of twelve types, ${made.observationCount} of them Observations, in one file. Every line is parsed and checked; what belongs in the store is stored encrypted.`,
      ours,
      peers,
      targets: [
        {
          text: `at least ${targetRate} MB/s, median of three (${rate.toFixed(1)})`,
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
