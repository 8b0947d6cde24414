import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import {
  type ExportedLog,
  encodeCheckpointFile,
  encodeDetailLine,
  verifyExportedLog,
} from '#federation/log/exported-log.ts';
import { createLogWriter } from '#federation/log/log-writer.ts';
import { createMemoryLogStorage } from '#support/memory-log-storage.ts';

const origin = 'consilium.example/site/cleveland/log';
const signer = createSigningKey(new Uint8Array(32).fill(1));
const trust = { origin, publicKeys: [signer.publicKey], witnessed: [] };
const storage = createMemoryLogStorage();
const writer = createLogWriter({
  storage,
  signer,
  origin,
  clock: { nowMs: () => 0 },
  random: (length) => new Uint8Array(length),
  bootId: 'boot',
  softwareVersion: '0',
});
for (let index = 0; index < 12; index += 1) {
  const event = { actor: 'Zoë ￼ 𝛿', role: null, action: 'signed-in', outcome: 'success' } as const;
  writer.append({ ...event, detail: JSON.stringify({ index, text: '€'.repeat(index) }) });
}
writer.checkpoint();

const fileOf = (lines: readonly string[]): Uint8Array => utf8(lines.map((line) => `${line}\n`).join(''));
const files = {
  leaves: fileOf(storage.leaves.map(({ line }) => line)),
  details: fileOf(storage.details.map(encodeDetailLine)),
  checkpoints: utf8(encodeCheckpointFile(storage.checkpoints.map(({ note }) => note))),
};

/** The file in blocks of these lengths, over and over, all in the same memory. */
function* blocksOf(bytes: Uint8Array, lengths: readonly number[]): Iterable<Uint8Array> {
  const memory = new Uint8Array(Math.max(...lengths));
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const length = Math.min(lengths[turn % lengths.length] ?? 1, bytes.length - start);
    memory.set(bytes.subarray(start, start + length));
    yield memory.subarray(0, length);
    start += length;
  }
}

const lengths = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 });

describe('a log read in blocks', () => {
  it('verifies as the whole files do, wherever they are cut', () => {
    const whole = verifyExportedLog(files, trust);
    expect(whole).toMatchObject({ verified: true, leafCount: 12, erasedDetailCount: 0 });
    fc.assert(
      fc.property(lengths, lengths, (leafBlocks, detailBlocks) => {
        const { leaves, details, checkpoints } = files;
        const log: ExportedLog = {
          leaves: blocksOf(leaves, leafBlocks),
          details: blocksOf(details, detailBlocks),
          checkpoints,
        };
        expect(verifyExportedLog(log, trust)).toEqual(whole);
      }),
    );
  });

  it('names the same first bad entry as the whole file does, whichever byte was changed', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.nat(files.leaves.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (cuts, at, change) => {
          const leaves = files.leaves.slice();
          leaves[at] = (leaves[at] ?? 0) ^ change;
          const whole = verifyExportedLog({ ...files, leaves }, trust);
          expect(whole.verified).toBe(false);
          expect(verifyExportedLog({ ...files, leaves: blocksOf(leaves, cuts) }, trust)).toEqual(whole);
        },
      ),
    );
  });

  it('takes a last line without its line feed for a line', () => {
    const leaves = files.leaves.slice(0, -1);
    expect(verifyExportedLog({ ...files, leaves: [leaves] }, trust)).toMatchObject({ verified: true });
  });
});
