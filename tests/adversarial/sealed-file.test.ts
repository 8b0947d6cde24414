// E2-E6, E8-E11 against a genuine file: caught on its way out of a real site, changed, and sent to the real consortium over TLS.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { readSealedUpdate } from '#federation/records/sealed-update.ts';
import { parseStatement } from '#federation/records/statement.ts';
import { transport, transportRecord } from '#federation/records/transport.ts';
import {
  type Answer,
  type AttackedFederation,
  type SealedFile,
  startAttackedFederation,
} from '#support/attacked-federation.ts';
import {
  type Attack,
  approve,
  changedStatement,
  type Forgery,
  seal,
  statementText,
} from '#support/forged-update.ts';

let federation: AttackedFederation;
let genuine: SealedFile;
/** Cleveland's genuine update, and what is in it. */
let attack: Attack;
/** The same of the other hospital. */
let foreign: Attack;
let foreignFile: SealedFile;

beforeAll(async () => {
  federation = await startAttackedFederation();
  await federation.openRound();
  genuine = await federation.cleveland.sealed();
  foreignFile = await federation.switzerland.sealed();
  attack = { federation, site: federation.cleveland, opened: await federation.open(genuine) };
  foreign = { federation, site: federation.switzerland, opened: await federation.open(foreignFile) };
});
afterAll(() => federation.close());

const ownEvents = () => federation.log().filter(({ action }) => action === 'update-received');

/** Refused with this code, told to nobody but the log, and nothing of it kept. */
async function expectRefused(send: () => Promise<Answer>, codes: string | readonly string[]): Promise<void> {
  const before = ownEvents().length;
  const { status, code } = await send();
  expect([codes].flat()).toContain(code);
  expect(status).toBeGreaterThanOrEqual(400);
  const [event, ...more] = ownEvents().slice(before);
  expect(event).toMatchObject({ action: 'update-received', outcome: 'refused', reason: code });
  expect(more).toEqual([]);
  expect(await federation.counted()).toEqual([]);
}

const sendChanged = (change: (file: Uint8Array) => Uint8Array) => () =>
  federation.send(attack.site, { ...genuine, file: change(genuine.file) });

/** Where the parts of the file begin. */
function regions(): Record<string, [number, number]> {
  const { outer } = readSealedUpdate(genuine.file);
  const start = 12 + outer.length;
  const at = (text: string): number => 12 + Buffer.from(outer).indexOf(text);
  return {
    magic: [0, 8],
    length: [8, 12],
    'outer statement': [at('"payload":"') + 11, at('"payloadType"') - 2],
    'outer payload type': [at('"payloadType":"') + 15, at('"signatures"') - 2],
    'outer signature': [at('"sig":"') + 7, at('"sig":"') + 95],
    'ciphertext: update statement and approval': [
      start,
      genuine.file.length - 16 - attack.opened.payload.length,
    ],
    'ciphertext: payload': [
      genuine.file.length - 16 - attack.opened.payload.length,
      genuine.file.length - 16,
    ],
    'ciphertext: tag': [genuine.file.length - 16, genuine.file.length],
  };
}

describe('E2: one flipped bit', () => {
  const expected: Record<string, readonly string[]> = {
    magic: ['BAD_BUNDLE'],
    length: ['BAD_BUNDLE', 'BAD_STATEMENT'],
    'outer statement': ['BAD_SIGNATURE', 'BAD_STATEMENT'],
    'outer payload type': ['WRONG_TYPE', 'BAD_STATEMENT'],
    'outer signature': ['BAD_SIGNATURE', 'BAD_STATEMENT'],
    'ciphertext: update statement and approval': ['DECRYPT_FAILED'],
    'ciphertext: payload': ['DECRYPT_FAILED'],
    'ciphertext: tag': ['DECRYPT_FAILED'],
  };

  it.each(Object.keys(expected))('in the %s is refused', async (region) => {
    const [from, to] = regions()[region] ?? [0, 0];
    expect(to).toBeGreaterThan(from);
    const count = Math.min(8, to - from);
    for (let index = 0; index < count; index += 1) {
      const place = from + Math.floor((index * (to - from - 1)) / Math.max(1, count - 1));
      const flip = (file: Uint8Array): Uint8Array =>
        file.with(place, (file[place] ?? 0) ^ (1 << (index % 8)));
      await expectRefused(sendChanged(flip), expected[region] ?? []);
    }
  });

  it('in enc or the ciphertext, signed anew by the site, is refused as well', async () => {
    const { outer, ciphertext } = readSealedUpdate(genuine.file);
    const { predicate } = parseStatement(transportRecord, parseEnvelope(outer).payload);
    const rebuilt = (changed: Partial<typeof predicate>, bytes = ciphertext): Uint8Array => {
      const claims = transport.parse({ ...predicate, ciphertextBytes: bytes.length, ...changed });
      const subjects = [{ name: 'ciphertext', digest: sha256Hex(bytes) }];
      const envelope = signStatement(encodeStatement(transportRecord, { subjects, predicate: claims }), [
        attack.site.signing,
      ]);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, envelope.length);
      return concatBytes(genuine.file.subarray(0, 8), length, envelope, bytes);
    };
    const enc = Buffer.from(predicate.enc, 'base64');
    for (const place of [0, 15, 31]) {
      const flipped = enc.with(place, (enc[place] ?? 0) ^ 4);
      await expectRefused(
        sendChanged(() => rebuilt({ enc: Buffer.from(flipped).toString('base64') })),
        ['DECRYPT_FAILED'],
      );
    }
    await expectRefused(
      sendChanged(() => rebuilt({ enc: Buffer.alloc(32).toString('base64') })),
      'BAD_KEY',
    );
    const last = ciphertext.length - 1;
    for (const changed of [
      ciphertext.with(40, (ciphertext[40] ?? 0) ^ 1),
      ciphertext.with(last, (ciphertext[last] ?? 0) ^ 1),
      ciphertext.subarray(0, -1),
      ciphertext.subarray(0, 16),
      ciphertext.subarray(0, 0),
      concatBytes(ciphertext, ciphertext),
      concatBytes(ciphertext, new Uint8Array(16)),
    ])
      await expectRefused(
        sendChanged(() => rebuilt({}, changed)),
        'DECRYPT_FAILED',
      );
    await expectRefused(
      sendChanged(() => rebuilt({ header: predicate.header.replace('"suite":1', '"suite":2') })),
      'BAD_STATEMENT',
    );
    // A header that is only spelt otherwise opens nothing: its very bytes are bound into the encryption.
    await expectRefused(
      sendChanged(() => rebuilt({ header: predicate.header.replace('{', '{ ') })),
      'DECRYPT_FAILED',
    );
  });
});

describe('E3: a file', () => {
  it.each<[string, (file: Uint8Array) => Uint8Array, string]>([
    ['cut by one byte', (file) => file.subarray(0, -1), 'DECRYPT_FAILED'],
    ['cut in the middle', (file) => file.subarray(0, file.length >> 1), 'DECRYPT_FAILED'],
    ['cut in the outer statement', (file) => file.subarray(0, 200), 'BAD_BUNDLE'],
    ['of nothing', () => new Uint8Array(), 'BAD_BUNDLE'],
    ['of the magic alone', (file) => file.subarray(0, 8), 'BAD_BUNDLE'],
    ['longer by one byte', (file) => concatBytes(file, new Uint8Array(1)), 'DECRYPT_FAILED'],
    ['appended to itself', (file) => concatBytes(file, file), 'DECRYPT_FAILED'],
    ['of zeros', () => new Uint8Array(5000), 'BAD_BUNDLE'],
    ['of the next version of the layout', (file) => file.with(7, 2), 'BAD_BUNDLE'],
  ])('%s is refused', async (_what, change, code) => {
    await expectRefused(sendChanged(change), code);
  });
});

describe('E6, E20: mixed up', () => {
  it("another hospital's file in this one's session is MIXUP", async () => {
    await expectRefused(() => federation.send(federation.cleveland, foreignFile), 'MIXUP');
  });
  it('a file under the name of another is MIXUP', async () => {
    const { bundleId } = foreignFile;
    await expectRefused(() => federation.send(attack.site, { ...genuine, bundleId }), 'MIXUP');
  });
  it.each<[string, () => Promise<SealedFile>]>([
    ['sealed by one site in the name of another', () => seal(attack, { header: { siteId: 'switzerland' } })],
    ["with another site's statement inside", () => seal(attack, { update: foreign.opened.updateEnvelope })],
    ['that says another round outside', () => seal(attack, { header: { round: 2 } })],
    [
      'that says another research study outside',
      () => seal(attack, { header: { researchStudyId: 'another-study' } }),
    ],
  ])('a file %s is MIXUP', async (_what, make) => {
    const file = await make();
    await expectRefused(() => federation.send(attack.site, file), 'MIXUP');
  });
});

describe('E7, E8: exchanged', () => {
  it("another hospital's payload under a genuine statement is SUBSTITUTED", async () => {
    const file = await seal(attack, { payload: foreign.opened.payload });
    await expectRefused(() => federation.send(attack.site, file), 'SUBSTITUTED');
  });
  it('a payload with one bit changed before sealing is SUBSTITUTED', async () => {
    const { payload } = attack.opened;
    const last = payload.length - 1;
    const file = await seal(attack, { payload: payload.with(last, (payload[last] ?? 0) ^ 1) });
    await expectRefused(() => federation.send(attack.site, file), 'SUBSTITUTED');
  });
  it('a file for the key of another consortium is WRONG_RECIPIENT, and so is its statement sealed to ours', async () => {
    const other = createReceivingKey(systemRandom(32));
    const header = { recipientKeyId: other.keyId };
    const sealedElsewhere = await seal(attack, { header, recipientPublicKey: other.publicKey });
    await expectRefused(() => federation.send(attack.site, sealedElsewhere), 'WRONG_RECIPIENT');
    const statement = changedStatement(attack, header);
    const forwarded = await seal(attack, {
      update: signStatement(utf8(statement), [attack.site.signing]),
      approvals: [approve(attack, statement)],
    });
    await expectRefused(() => federation.send(attack.site, forwarded), 'WRONG_RECIPIENT');
  });
});

describe('E9-E11: keys and approvals', () => {
  const stranger = createSigningKey(systemRandom(32));
  const text = () => statementText(attack);
  const signed = (signer: Attack['site']['signing']) => signStatement(utf8(text()), [signer]);
  it.each<[string, string, () => Forgery]>([
    ['sealed by a stranger', 'KEY_NOT_TRUSTED', () => ({ signer: stranger })],
    ['sealed by the steward', 'KEY_NOT_TRUSTED', () => ({ signer: attack.site.steward })],
    [
      'whose statement the steward signed',
      'KEY_NOT_TRUSTED',
      () => ({ update: signed(attack.site.steward) }),
    ],
    ['whose statement a stranger signed', 'KEY_NOT_TRUSTED', () => ({ update: signed(stranger) })],
    [
      'whose statement another hospital signed',
      'KEY_NOT_TRUSTED',
      () => ({ update: signed(foreign.site.signing) }),
    ],
    [
      'approved with the site key',
      'KEY_NOT_TRUSTED',
      () => ({ approvals: [approve(attack, text(), { signer: attack.site.signing })] }),
    ],
    [
      'approved with the key of the audit log',
      'KEY_NOT_TRUSTED',
      () => ({
        approvals: [approve(attack, text(), { signer: createSigningKey(attack.site.keys.siteLogSeed) })],
      }),
    ],
    [
      'approved by a stranger',
      'KEY_NOT_TRUSTED',
      () => ({ approvals: [approve(attack, text(), { signer: stranger })] }),
    ],
    ['without an approval', 'NOT_APPROVED', () => ({ approvals: [] })],
    ["with another update's approval", 'NOT_APPROVED', () => ({ approvals: foreign.opened.approvals })],
    [
      'with its approval and that of another update',
      'NOT_APPROVED',
      () => ({ approvals: [...attack.opened.approvals, ...foreign.opened.approvals] }),
    ],
    [
      'that its steward refused',
      'NOT_APPROVED',
      () => ({ approvals: [approve(attack, text(), { decision: 'refuse', reason: 'no' })] }),
    ],
    [
      'that its steward approved, and refused as well',
      'NOT_APPROVED',
      () => ({
        approvals: [
          ...attack.opened.approvals,
          approve(attack, text(), { decision: 'refuse', reason: 'no' }),
        ],
      }),
    ],
    [
      'approved under the name of somebody else',
      'NOT_APPROVED',
      () => ({ approvals: [approve(attack, text(), { person: { name: 'Dr. Who', role: 'steward' } })] }),
    ],
    [
      'approved for another round',
      'NOT_APPROVED',
      () => ({ approvals: [approve(attack, text(), { round: 2 })] }),
    ],
    [
      "approved by another site's steward in this site's name",
      'KEY_NOT_TRUSTED',
      () => ({ approvals: [approve(attack, text(), { signer: foreign.site.steward })] }),
    ],
    [
      'with the update statement in the place of the approval',
      'KEY_NOT_TRUSTED',
      () => ({ approvals: [attack.opened.updateEnvelope] }),
    ],
    [
      'with the approval in the place of the update statement',
      'KEY_NOT_TRUSTED',
      () => ({ update: attack.opened.approvals[0] ?? new Uint8Array() }),
    ],
  ])('a file %s is %s', async (_what, code, forgery) => {
    const file = await seal(attack, forgery());
    await expectRefused(() => federation.send(attack.site, file), code);
  });

  it('an envelope whose payload type was changed, with the signature over the new type, is WRONG_TYPE (E10)', async () => {
    const envelope = JSON.parse(new TextDecoder().decode(attack.opened.updateEnvelope)) as Record<
      string,
      unknown
    >;
    const payloadType = 'application/json';
    const bytes = Buffer.from(String(envelope.payload), 'base64');
    const header = `DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `;
    const sig = attack.site.signing.sign(concatBytes(utf8(header), bytes));
    const update = utf8(
      JSON.stringify({
        ...envelope,
        payloadType,
        signatures: [{ keyid: attack.site.signing.keyId, sig: Buffer.from(sig).toString('base64') }],
      }),
    );
    const file = await seal(attack, { update });
    await expectRefused(() => federation.send(attack.site, file), 'WRONG_TYPE');
  });
});

describe('after all that', () => {
  it('E4: the genuine file goes in once, whatever way it comes again', async () => {
    const first = await federation.send(attack.site, genuine);
    expect(first.status).toBe(200);
    const again = [genuine, await seal(attack), await seal(attack), genuine];
    for (const file of again) {
      const answer = await federation.send(attack.site, file);
      expect(answer.status).toBe(200);
      expect(Buffer.from(answer.body).equals(first.body)).toBe(true);
    }
    expect(await federation.counted()).toEqual(['cleveland']);
    const taken = ownEvents().filter(({ outcome }) => outcome === 'success');
    expect(taken.map(({ reason }) => reason)).toEqual([null, 'REPLAY', 'REPLAY', 'REPLAY', 'REPLAY']);
    const renamed = { ...genuine, bundleId: sha256Hex(utf8('renamed')) };
    expect((await federation.send(attack.site, renamed)).code).toBe('MIXUP');
    expect(await federation.counted()).toEqual(['cleveland']);
  });

  it('the round closes with both hospitals, each once, and everything can be made again', async () => {
    await federation.finishRound();
    const { researchStudies } = await federation.consortium.operations.status({});
    const model = researchStudies[0]?.models.at(-1);
    expect(model?.included.map(({ siteId }) => siteId)).toEqual(['cleveland', 'switzerland']);
    expect(await federation.consortium.operations.verifyAudit({})).toMatchObject({ verified: true });
    expect(federation.cleveland.site.audit.verify(federation.cleveland.person).verified).toBe(true);
    // Late, when the round is over: still the same receipt, and still counted once.
    expect((await federation.send(attack.site, genuine)).status).toBe(200);
    expect((await federation.consortium.operations.verifyAudit({})).verified).toBe(true);
  });
});
