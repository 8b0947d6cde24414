import { describe, expect, it } from 'vitest';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { createLeafProof, type LeafProof, verifyLeafProof } from '#federation/log/leaf-proof.ts';
import { createLogWriter } from '#federation/log/log-writer.ts';
import { createMemoryLogStorage } from '#support/memory-log-storage.ts';

const origin = 'consilium.example/consortium/log';
const signer = createSigningKey(new Uint8Array(32).fill(6));
const key = { name: origin, publicKey: signer.publicKey };
const storage = createMemoryLogStorage();
const writer = createLogWriter({
  storage,
  signer,
  origin,
  clock: { nowMs: () => 0 },
  random: (length) => new Uint8Array(length),
  bootId: 'boot',
  softwareVersion: '0.1.0',
});
for (let index = 0; index < 11; index += 1) {
  writer.append({
    actor: 'system',
    role: null,
    action: 'model-published',
    object: `model:${index}`,
    outcome: 'success',
  });
}
const { note } = writer.checkpoint();

function prove(index: number): LeafProof {
  return createLeafProof({ line: storage.leaves[index]?.line ?? '', index }, note, storage);
}

describe('a proof of an entry', () => {
  it('gives the entry and the checkpoint it stands under, after a trip through JSON', () => {
    for (let index = 0; index < 11; index += 1) {
      const { leaf, checkpoint } = verifyLeafProof(JSON.parse(JSON.stringify(prove(index))), key);
      expect(leaf.object).toBe(`model:${index}`);
      expect(checkpoint.size).toBe(11);
    }
  });

  it('holds under a checkpoint of an earlier size', () => {
    const early = createMemoryLogStorage();
    const small = createLogWriter({
      storage: early,
      signer,
      origin,
      clock: { nowMs: () => 0 },
      random: (length) => new Uint8Array(length),
      bootId: 'b',
      softwareVersion: '0',
    });
    for (const action of ['one', 'two', 'three'])
      small.append({ actor: 'system', role: null, action, outcome: 'success' });
    const earlier = small.checkpoint();
    small.append({ actor: 'system', role: null, action: 'four', outcome: 'success' });
    const proof = createLeafProof({ line: early.leaves[1]?.line ?? '', index: 1 }, earlier.note, early);
    expect(verifyLeafProof(proof, key).leaf.action).toBe('two');
    expect(() =>
      createLeafProof({ line: early.leaves[3]?.line ?? '', index: 3 }, earlier.note, early),
    ).toThrow(expect.objectContaining({ code: 'BAD_LOG_PROOF' }));
  });

  const proof = prove(4);
  it.each<[string, unknown, string]>([
    ['another entry', { ...proof, leaf: prove(5).leaf }, 'BAD_LOG_PROOF'],
    ['another entry with its place', { ...proof, leaf: prove(5).leaf, index: 5 }, 'BAD_LOG_PROOF'],
    [
      'an entry that was changed',
      { ...proof, leaf: proof.leaf.replace('model:4', 'model:x') },
      'BAD_LOG_PROOF',
    ],
    ['an entry in another form', { ...proof, leaf: ` ${proof.leaf}` }, 'BAD_LEAF'],
    ['a hash less', { ...proof, hashes: proof.hashes.slice(1) }, 'BAD_LOG_PROOF'],
    ['a hash more', { ...proof, hashes: [...proof.hashes, proof.hashes[0]] }, 'BAD_LOG_PROOF'],
    ['a short hash', { ...proof, hashes: ['AAAA'] }, 'BAD_LOG_PROOF'],
    ['a hash in another base64 form', { ...proof, hashes: [`${'A'.repeat(42)}B=`] }, 'BAD_LOG_PROOF'],
    [
      'a thousand hashes',
      { ...proof, hashes: Array.from({ length: 1000 }, () => proof.hashes[0]) },
      'BAD_LOG_PROOF',
    ],
    ['a negative place', { ...proof, index: -1 }, 'BAD_LOG_PROOF'],
    ['no place', { ...proof, index: undefined }, 'BAD_LOG_PROOF'],
    ['no checkpoint', { ...proof, checkpoint: '' }, 'BAD_CHECKPOINT'],
    ['nothing', null, 'BAD_LOG_PROOF'],
  ])('is refused with %s', (_, value, code) => {
    expect(() => verifyLeafProof(value, key)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused under the key of another log', () => {
    const other = createSigningKey(new Uint8Array(32).fill(7));
    expect(() => verifyLeafProof(proof, { ...key, publicKey: other.publicKey })).toThrow(
      expect.objectContaining({ code: 'LOG_KEY_NOT_TRUSTED' }),
    );
    expect(() => verifyLeafProof(proof, { ...key, name: 'consilium.example/site/cleveland/log' })).toThrow(
      expect.objectContaining({ code: 'LOG_KEY_NOT_TRUSTED' }),
    );
  });
});
