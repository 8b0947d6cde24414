// MR slices into the store: read, digested, parsed, checked for drawn text, de-identified, indexed encrypted, and kept as sealed files or
// indexed only.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchCase, BenchContext, Measurement } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { type ChildMeasurement, isInstalled, measureChild, nodeProgram } from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';
import { encodeMrSlice } from './mr-slice.ts';

const peerChild = new URL('./image-peer-child.ts', import.meta.url);
const pythonPeer = fileURLToPath(new URL('./image_peer.py', import.meta.url));
const sealedTarget = 1_000;
const indexTarget = 3_000;

export const imageCase: BenchCase = {
  name: 'images',
  async run(context) {
    const { scratch, scale } = context;
    const count = Math.max(200, Math.round(10_000 * scale));
    const source = emptyFolder(scratch, 'slices');
    let byteCount = 0;
    for (let index = 0; index < count; index += 1) {
      const bytes = encodeMrSlice(index);
      byteCount += bytes.length;
      writeFileSync(path.join(source, `slice-${index}.dcm`), bytes);
    }
    const sealed = await measureThrice(context, 'sealed copies and index', ['files', source]);
    const indexed = await measureThrice(context, 'index only', ['files-indexed', source]);
    const { peers, notes } = await measurePeers(context, source);
    const [sealedRate, indexRate] = [medianRate(sealed), medianRate(indexed)];
    return {
      name: 'images',
      title: 'DICOM images into the encrypted store',
      unit: 'files',
      description: `${count} MR slices of ${Math.round(byteCount / count / 1000)} KB in two worker threads and the site's own.`,
      ours: [...sealed, ...indexed],
      peers,
      targets: [
        {
          text: `with sealed copies at least ${sealedTarget} files/s, median of three (${sealedRate.toFixed(0)})`,
          isMet: sealedRate >= sealedTarget,
        },
        {
          text: `index only at least ${indexTarget} files/s, median of three (${indexRate.toFixed(0)})`,
          isMet: indexRate >= indexTarget,
        },
        {
          text: 'peak memory under 300 MB',
          isMet: [...sealed, ...indexed].every(({ peakMegabytes }) => (peakMegabytes ?? 0) < 300),
        },
      ],
      notes,
    };
  },
};

async function measureThrice(
  { scratch, say }: BenchContext,
  label: string,
  [counted, source]: readonly [counted: string, source: string],
): Promise<ChildMeasurement[]> {
  const runs: ChildMeasurement[] = [];
  for (const suffix of ['', ', again', ', a third time']) {
    say(`  Consilium, ${label}${suffix}`);
    const profile = emptyFolder(scratch, `${counted}-${runs.length}`);
    runs.push(
      await measureChild(
        await bundledProgram(`Consilium, ${label}${suffix}`, 'import-child', [counted, profile, source]),
      ),
    );
  }
  return runs;
}

async function measurePeers({ scratch, say }: BenchContext, source: string) {
  say('  peers');
  const notes = [
    'Orthanc 1.10 by REST on four connections, measured elsewhere on such slices, plain: 709 files/s.',
  ];
  const peers: Measurement[] = [
    await measureChild(
      nodeProgram('Node, dicom-parser and SHA-256, nothing stored', peerChild, ['dicom-parser', source]),
    ),
  ];
  if (await isInstalled('dcmdump'))
    peers.push(await measureChild(nodeProgram('dcmdump over the folder', peerChild, ['dcmdump', source])));
  else notes.push('dcmdump is not on this machine: its row is left out.');
  const words = ['-c', 'import importlib.util as u, sys; sys.exit(u.find_spec("pydicom") is None)'];
  for (const command of ['python3', '/usr/bin/python3']) {
    if (!(await isInstalled(command, words))) continue;
    const label = 'Python, pydicom, SHA-256 and 40 elements to plain SQLite';
    peers.push(
      await measureChild({ label, command, words: [pythonPeer, source, path.join(scratch, 'peer.db')] }),
    );
    return { peers, notes };
  }
  notes.push('No Python with pydicom is on this machine: its row is left out.');
  return { peers, notes };
}

function medianRate(runs: readonly Measurement[]): number {
  return runs.toSorted((left, right) => left.rate - right.rate)[1]?.rate ?? 0;
}
