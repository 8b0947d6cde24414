// The cases of `consilium bench audit`: the log's and the seal's rates beside what this machine's disk, database and cipher give in the same
// run. A rate alone says little on a machine that others use; its share of the limit, and processor seconds, say more.
import type { BenchCase, CaseResult, Measurement, Target } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { type ChildMeasurement, measureChild } from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';

/** Runs of each in turn: the better one counts, the other met a busier machine. */
const turns = ['first', 'second'] as const;

interface Step {
  readonly label: string;
  readonly program: string;
  readonly words: (folder: string) => readonly string[];
}

/** Every step, one after the other, twice. */
async function inTurns(scratch: string, steps: readonly Step[], say: (message: string) => void) {
  const runs = new Map<string, ChildMeasurement[]>();
  for (const turn of turns) {
    for (const { label, program, words } of steps) {
      say(`  ${label}, ${turn}`);
      const folder = emptyFolder(scratch, `${label}-${turn}`.replaceAll(/\W+/g, '-'));
      const run = await measureChild(await bundledProgram(label, program, words(folder)));
      runs.set(label, [...(runs.get(label) ?? []), run]);
    }
  }
  return {
    best: (label: string): Measurement => {
      const [best] = (runs.get(label) ?? []).toSorted((left, right) => right.rate - left.rate);
      if (best === undefined) throw new Error(`${label} was not run`);
      const { course: _, longestBusyMs: __, ...measurement } = best;
      return measurement;
    },
    /** Work for each processor second by that of the limit, the least of both: what a busy machine says of what only computes. */
    processorShare: (label: string, limit: string): number => {
      const used = (of: string): number =>
        Math.min(
          ...(runs.get(of) ?? []).map(
            ({ cpuSeconds, rate, seconds }) => (cpuSeconds ?? 0) / (rate * seconds),
          ),
        );
      return used(limit) / used(label);
    },
  };
}

const atLeast = (what: string, found: number, wanted: number): Target => ({
  text: `${what}: at least ${wanted.toLocaleString('en')} (${Math.round(found).toLocaleString('en')})`,
  isMet: found >= wanted,
});
const atMost = (what: string, found: number, wanted: number, unit: string): Target => ({
  text: `${what}: at most ${wanted} ${unit} (${found.toPrecision(3)} ${unit})`,
  isMet: found <= wanted,
});
const shareOf = (what: string, found: number, wanted: number): Target => ({
  text: `${what}: at least ${wanted} of the limit in the same run (${found.toFixed(2)})`,
  isMet: found >= wanted,
});

const appendCase: BenchCase = {
  name: 'append',
  async run({ scratch, scale, say }) {
    const count = String(Math.round(3000 * scale));
    const grouped = String(100 * Math.max(1, Math.round(200 * scale)));
    const step = (label: string, what: string, amount = count): Step => ({
      label,
      program: 'audit-append-child',
      words: (folder) => [what, folder, amount],
    });
    const single = 'one entry in a transaction, with its signed checkpoint';
    const groups = 'a hundred in a transaction, with a signed checkpoint each';
    const disk = 'limit: 4 KiB appended and flushed';
    const database = 'limit: one encrypted row, flushed';
    const signature = 'limit: one signature';
    const { best } = await inTurns(
      scratch,
      [
        step(disk, 'sync'),
        step(database, 'rows'),
        step(single, 'entries'),
        step(groups, 'groups', grouped),
        step(signature, 'sign'),
      ],
      say,
    );
    return {
      name: 'append',
      title: 'An entry is appended',
      unit: 'entries',
      description:
        'Leaf, tree nodes, salted detail and a signed checkpoint, in an encrypted database that is flushed at each commit.',
      ours: [best(single), best(groups)],
      peers: [best(disk), best(database), best(signature)],
      targets: [
        atLeast('one in a transaction, for each second', best(single).rate, 3500),
        shareOf('one in a transaction, of the flushes of the disk', best(single).rate / best(disk).rate, 0.6),
        atLeast('a hundred in a transaction, for each second', best(groups).rate, 20_000),
      ],
      notes: [],
    };
  },
};

const treeCase: BenchCase = {
  name: 'tree',
  async run({ scratch, scale, say }) {
    const count = String(Math.round(1_000_000 * scale));
    const step = (label: string, what: string): Step => ({
      label,
      program: 'audit-tree-child',
      words: () => [what, count],
    });
    const tree = 'tree';
    const hashes = 'limit: its hashes alone';
    const { best, processorShare } = await inTurns(
      scratch,
      [step(hashes, 'hashes'), step(tree, 'tree')],
      say,
    );
    return {
      name: 'tree',
      title: 'A Merkle tree over leaves of 200 bytes',
      unit: 'leaves',
      description: `${count} leaves, from their bytes to the root.`,
      ours: [best(tree)],
      peers: [best(hashes)],
      targets: [
        atMost('a million leaves', 1e6 / best(tree).rate, 2.5, 's'),
        shareOf('of the hashes alone, by processor seconds', processorShare(tree, hashes), 0.77),
      ],
      notes: [],
    };
  },
};

const logCase: BenchCase = {
  name: 'log',
  async run({ scratch, scale, say }): Promise<CaseResult> {
    const count = String(Math.round(1_000_000 * scale));
    const run = async (label: string, what: string): Promise<ChildMeasurement> => {
      say(`  ${label}`);
      return measureChild(await bundledProgram(label, 'audit-log-child', [what, scratch, count]));
    };
    const made = await run('made, ten thousand in a transaction', 'make');
    const exported = await run('exported', 'export');
    const verified = [await run('verified offline', 'verify'), await run('verified offline', 'verify')];
    const copies = [
      await run('copied as CSV', 'csv'),
      await run('copied as FHIR', 'fhir'),
      await run('copied as DICOM', 'dicom'),
    ];
    const proofs = await run('proofs made and verified', 'proof');
    const [best = exported] = verified.toSorted((left, right) => right.rate - left.rate);
    const peaks = [exported, best, ...copies].map(
      ({ peakMegabytes }) => peakMegabytes ?? Number.POSITIVE_INFINITY,
    );
    return {
      name: 'log',
      title: 'A log of many entries is exported, verified, copied and proven from',
      unit: 'entries',
      description: `${count} entries with details, a signed checkpoint for each thousand.`,
      ours: [made, exported, best, ...copies, proofs].map(({ course: _, longestBusyMs: __, ...one }) => one),
      peers: [],
      targets: [
        atMost('a million entries verified offline', 1e6 / best.rate, 10, 's'),
        atMost('a proof made and verified, on average', 1000 / proofs.rate, 5, 'ms'),
        atMost('peak memory of export, verification and copies', Math.max(...peaks), 300, 'MB'),
      ],
      notes: [`The slowest of a thousand proofs took ${(proofs.longestBusyMs ?? 0).toFixed(1)} ms.`],
    };
  },
};

const sealCase: BenchCase = {
  name: 'seal',
  async run({ scratch, scale, say }) {
    const step = (label: string, what: string, megabytes: number): Step => ({
      label,
      program: 'audit-seal-child',
      words: (folder) => [what, String(megabytes), folder],
    });
    const cipher = 'limit: AES-256-GCM in pieces of 1 MiB';
    const [sealed, opened] = ['sealed in chunks', 'opened in chunks'];
    const update = 'update of 40 MB: sealed, signed, opened, verified';
    const [shorter, stream] = ['update through files', 'update ten times as long (2 GB), through files'];
    const { best, processorShare } = await inTurns(
      scratch,
      [
        step(cipher, 'cipher', 400 * scale),
        step(sealed, 'seal', 400 * scale),
        step(opened, 'open', 400 * scale),
        step(update, 'update', 40),
        step(shorter, 'stream', 200 * scale),
        step(stream, 'stream', 2000 * scale),
      ],
      say,
    );
    const idle = await measureChild(
      await bundledProgram('nothing', 'audit-seal-child', ['cipher', '1', scratch]),
    );
    const beyondIdle = (label: string): number =>
      (best(label).peakMegabytes ?? 0) - (idle.peakMegabytes ?? 0);
    const growth = (best(stream).peakMegabytes ?? Number.NaN) / (best(shorter).peakMegabytes ?? Number.NaN);
    return {
      name: 'seal',
      title: 'Updates are sealed and opened (HPKE, AES-256-GCM)',
      unit: 'MB',
      description: 'In chunks of 1 MiB, each bound to its place and to being the last.',
      ours: [best(sealed), best(opened), best(update), best(shorter), best(stream)],
      peers: [best(cipher)],
      targets: [
        atLeast('sealed, MB for each second', best(sealed).rate, 2500),
        atLeast('opened, MB for each second', best(opened).rate, 2500),
        shareOf('sealed, of the cipher alone, by processor seconds', processorShare(sealed, cipher), 0.6),
        shareOf('opened, of the cipher alone, by processor seconds', processorShare(opened, cipher), 0.6),
        atMost('an update of 40 MB, from payload to verified payload', best(update).seconds, 0.3, 's'),
        atMost('its memory beyond an idle process and the payload', beyondIdle(update) - 40, 100, 'MB'),
        atMost('memory of ten times the streamed update, by that of one', growth, 1.2, 'times'),
      ],
      notes: [`An idle process of the bench has ${(idle.peakMegabytes ?? 0).toFixed(0)} MB.`],
    };
  },
};

export const auditCases: readonly BenchCase[] = [appendCase, treeCase, logCase, sealCase];
