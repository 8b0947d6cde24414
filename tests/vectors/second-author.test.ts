// What we write, another implementation reads, and the reverse (security.md E29): Python with `cryptography`, where it is there.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBase64, toBase64, toHex, utf8 } from '#base/bytes.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { wrapSeed } from '#federation/crypto/secret-wrap.ts';
import { openSealedUpdate, verifyApprovals } from '#federation/records/sealed-update.ts';
import { signRequest, verifyRequest } from '#federation/sync-contract/request-signature.ts';
import {
  approvalEnvelope,
  header,
  keys,
  nowMs,
  receivingKey,
  sealedUpdate,
  trust,
  updateEnvelopeOf,
  updatePredicate,
  updateStatement,
} from '#support/signed-world.ts';

const script = path.join(import.meta.dirname, 'second_author.py');
const probe = spawnSync('python3', ['-c', 'import cryptography; print(cryptography.__version__)'], {
  encoding: 'utf8',
});
const missing = probe.status === 0 ? undefined : 'python3 with the package cryptography is not here';
if (missing !== undefined) process.stdout.write(`second author: not run, ${missing}\n`);

/** A payload of three chunks, so that indices and the last flag are seen to agree. */
const payload = new Uint8Array(2 * 1024 * 1024 + 12_345).map((_byte, index) => (index * 7) % 251);
const seedOf = (name: string): string => toHex(sha256(utf8(name)));
const nonce = '00112233445566778899aabbccddeeff';
const url = 'https://consortium.example:8443/v1/trust-list';
const request = { method: 'POST', authority: 'consortium.example:8443', path: '/v1/trust-list' };

interface Answers {
  readonly openUpdate: { header: unknown; predicate: unknown; approvals: number; payloadDigest: string };
  readonly sealUpdate: string;
  readonly signRequest: Record<string, string>;
  readonly unwrap: string;
  readonly keystream: { doubles: number[]; order: number[]; below: number[] };
}

async function askSecondAuthor(): Promise<Answers> {
  const statement = updateStatement({}, payload);
  const file = await sealedUpdate({
    update: updateEnvelopeOf(statement),
    payload,
    approvalOf: sha256Hex(statement),
  });
  const wrapped = wrapSeed(sha256(utf8('anna')), 'Zürich corréct horse', 'Anna');
  const approval = JSON.parse(
    Buffer.from(
      JSON.parse(Buffer.from(approvalEnvelope('00'.repeat(32))).toString()).payload,
      'base64',
    ).toString(),
  );
  const tasks = {
    openUpdate: {
      file: toBase64(file),
      publicKeys: [keys.cleveland, keys.anna].map((key) => toBase64(key.publicKey)),
      recipientPrivateKey: toHex(receivingKey.raw),
    },
    sealUpdate: {
      siteSeed: seedOf('cleveland'),
      stewardSeed: seedOf('anna'),
      payload: toBase64(payload),
      update: updatePredicate(),
      approval: approval.predicate,
      header,
      recipientPublicKey: toBase64(receivingKey.publicKey),
    },
    signRequest: {
      seed: seedOf('cleveland'),
      created: nowMs / 1000,
      nonce,
      request: { ...request, body: toBase64(utf8('body')) },
    },
    unwrap: {
      secret: 'Zürich corréct horse',
      name: wrapped.name,
      salt: toBase64(wrapped.scrypt.salt),
      sealedSeed: toBase64(wrapped.sealedSeed),
    },
    keystream: { seed: seedOf('keystream') },
  };
  const run = spawnSync('python3', [script], {
    input: JSON.stringify(tasks),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

describe.skipIf(missing !== undefined)(
  `a second author${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let answers: Answers;
    beforeAll(async () => {
      answers = await askSecondAuthor();
    });

    it('opens and verifies our sealed update', () => {
      expect(answers.openUpdate).toEqual({
        header,
        predicate: updatePredicate(),
        approvals: 1,
        payloadDigest: sha256Hex(payload),
      });
    });

    it('seals an update that we open and verify, with the same statement bytes', async () => {
      const file = fromBase64(answers.sealUpdate);
      const opened = await openSealedUpdate({ file, receivingKey, trust, atMs: nowMs });
      expect(Buffer.compare(opened.payload, payload)).toBe(0);
      expect(opened.update.statement).toEqual(updateStatement({}, payload));
      expect(verifyApprovals({ ...opened, trust, atMs: nowMs, requiredStewards: 1 })).toHaveLength(1);
    });

    it('signs a request exactly as we do', () => {
      const body = utf8('body');
      const ours = signRequest({ method: 'POST', url, body, signer: keys.cleveland, nowMs, nonce });
      expect(answers.signRequest).toEqual(ours);
      const verified = verifyRequest({
        ...request,
        headers: answers.signRequest,
        body,
        trust,
        nowMs,
        maxClockSkewMs: 0,
      });
      expect(verified.key.siteId).toBe('cleveland');
    });

    it("unwraps a person's key", () => {
      expect(answers.unwrap).toBe(seedOf('anna'));
    });

    it('draws the same numbers and orders from a seed', () => {
      const stream = createKeystream(sha256(utf8('keystream')));
      expect(answers.keystream.doubles).toEqual(Array.from({ length: 2000 }, () => stream.nextDouble()));
      const order = Uint32Array.from({ length: 100 }, (_value, index) => index);
      stream.shuffle(order);
      expect(answers.keystream.order).toEqual([...order]);
      expect(answers.keystream.below).toEqual(
        Array.from({ length: 50 }, () => stream.nextBelow(3 * 2 ** 30)),
      );
    });
  },
);
