import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, fromUtf8, toBase64, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { preAuthenticationEncoding } from '#federation/crypto/dsse.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { encodeSealedFile } from '#federation/records/sealed-bytes.ts';
import {
  openSealedUpdate,
  readSealedUpdate,
  verifyApprovals,
  verifySealedTransport,
} from '#federation/records/sealed-update.ts';
import { type Transport, transportRecord } from '#federation/records/transport.ts';
import {
  approvalEnvelope,
  flip,
  header,
  keys,
  nowMs,
  otherReceivingKey,
  payload,
  receivingKey,
  refusalOf,
  sealedUpdate,
  signingKeyOf,
  trust,
  trustWith,
  updateEnvelope,
  updatePredicate,
  updateStatement,
} from '#support/signed-world.ts';

const open = (file: Uint8Array, options = {}) =>
  openSealedUpdate({ file, receivingKey, trust, atMs: nowMs, ...options });
const refusal = (file: Uint8Array, options = {}): Promise<string> => refusalOf(() => open(file, options));

let file: Uint8Array = new Uint8Array();
beforeAll(async () => {
  file = await sealedUpdate();
});

/** The file with its transport statement changed and truly signed again by the site. */
function resealed(
  change: (transport: Transport) => Partial<Transport>,
  ciphertext?: Uint8Array,
  signer = keys.cleveland,
) {
  const parts = readSealedUpdate(file);
  const content = ciphertext ?? parts.ciphertext;
  const { payload: statement } = JSON.parse(fromUtf8(parts.outer));
  const { predicate } = JSON.parse(Buffer.from(statement, 'base64').toString());
  const changed = encodeStatement(transportRecord, {
    subjects: [{ name: 'ciphertext', digest: sha256Hex(content) }],
    predicate: { ...predicate, ciphertextBytes: content.length, ...change(predicate) },
  });
  return encodeSealedFile({ outer: signStatement(changed, [signer]), ciphertext: content });
}

const withHeader = (change: Partial<typeof header>) => () => ({
  header: fromUtf8(encodeCanonicalJson({ ...header, ...change })),
});

describe('a sealed update', () => {
  it('opens to what was sealed, with approvals that verify', async () => {
    const opened = await open(file);
    expect(opened.payload).toEqual(payload);
    expect(opened.header).toEqual(header);
    expect(opened.updateEnvelope).toEqual(updateEnvelope());
    expect(opened.update.predicate).toEqual(updatePredicate());
    const [approval] = verifyApprovals({ ...opened, trust, atMs: nowMs, requiredStewards: 1 });
    expect(approval?.predicate.person.name).toBe('Anna');
  });

  it('shows its header to whoever can check the outer signature, and nothing else', async () => {
    const transport = verifySealedTransport({ file, trust, atMs: nowMs });
    expect(transport.header).toEqual(header);
    expect(transport.signer.siteId).toBe('cleveland');
    for (const inside of [payload, updateStatement(), utf8('Anna')]) {
      expect(Buffer.from(file).includes(Buffer.from(inside))).toBe(false);
    }
  });

  it('is another file each time, with the same update inside', async () => {
    const again = await sealedUpdate();
    expect(again).not.toEqual(file);
    expect((await open(again)).update.digest).toBe((await open(file)).update.digest);
  });

  it('is not sealed to another key than its header names, nor under a header that nobody accepts', async () => {
    expect(await refusalOf(() => sealedUpdate({ recipientPublicKey: otherReceivingKey.publicKey }))).toBe(
      'WRONG_RECIPIENT',
    );
    expect(await refusalOf(() => sealedUpdate({ header: { siteId: 'No Site' } }))).toBe('BAD_STATEMENT');
  });
});

describe('E2: one flipped byte', () => {
  it('anywhere in the file is refused, and no part is decrypted under a false signature', async () => {
    const codes = new Set<string>();
    for (let at = 0; at < file.length; at += 1) codes.add(await refusal(flip(file, at)));
    expect([...codes].sort()).toEqual([
      'BAD_BUNDLE',
      'BAD_SIGNATURE',
      'BAD_STATEMENT',
      'DECRYPT_FAILED',
      'KEY_NOT_TRUSTED',
      'WRONG_TYPE',
    ]);
  });

  it('in the ciphertext is DECRYPT_FAILED, also where the site signs it again', async () => {
    const { ciphertext } = readSealedUpdate(file);
    for (const at of [0, 4, 1000, -17, -1]) {
      const changed = flip(ciphertext, at);
      expect(await refusal(encodeSealedFile({ ...readSealedUpdate(file), ciphertext: changed }))).toBe(
        'DECRYPT_FAILED',
      );
      expect(await refusal(resealed(() => ({}), changed))).toBe('DECRYPT_FAILED');
    }
  });

  it('in enc or header is DECRYPT_FAILED, also where the site signs it again', async () => {
    const otherEnc = toBase64(otherReceivingKey.publicKey.slice(-32));
    expect(await refusal(resealed(() => ({ enc: otherEnc })))).toBe('DECRYPT_FAILED');
    expect(await refusal(resealed(withHeader({ bundleId: sha256Hex(utf8('other')) })))).toBe(
      'DECRYPT_FAILED',
    );
    expect(await refusal(resealed(({ header: text }) => ({ header: ` ${text}` })))).toBe('DECRYPT_FAILED');
  });

  it('in the inner statement is BAD_SIGNATURE', async () => {
    const statement = toBase64(updateStatement());
    const changed = utf8(
      fromUtf8(updateEnvelope()).replace(statement, toBase64(flip(updateStatement(), 400))),
    );
    expect(await refusal(await sealedUpdate({ update: changed }))).toBe('BAD_SIGNATURE');
  });
});

describe('E3: bytes cut off or added', () => {
  it.each([
    ['the last byte cut off', () => file.slice(0, -1), 'DECRYPT_FAILED'],
    ['a byte appended', () => concatBytes(file, new Uint8Array(1)), 'DECRYPT_FAILED'],
    [
      'all ciphertext cut off',
      () => file.slice(0, file.length - readSealedUpdate(file).ciphertext.length),
      'DECRYPT_FAILED',
    ],
    ['only the magic', () => file.slice(0, 8), 'BAD_BUNDLE'],
    ['half of the outer envelope', () => file.slice(0, 300), 'BAD_BUNDLE'],
    ['nothing', () => new Uint8Array(), 'BAD_BUNDLE'],
    ['another version', () => flip(file, 7), 'BAD_BUNDLE'],
    [
      'a length of 4 GiB',
      () => concatBytes(file.slice(0, 8), new Uint8Array(4).fill(255), file.slice(12)),
      'BAD_BUNDLE',
    ],
    ['no ciphertext, truly signed', () => resealed(() => ({}), new Uint8Array()), 'DECRYPT_FAILED'],
  ])('%s: %s', async (_name, change, code) => {
    expect(await refusal(change())).toBe(code);
  });
});

describe('E6: what does not belong together', () => {
  it.each([
    ['research study', { researchStudyId: 'other-study' }],
    ['round', { round: 3 }],
  ])('another %s inside than outside is MIXUP', async (_name, change) => {
    expect(await refusal(await sealedUpdate({ update: updateEnvelope(change) }))).toBe('MIXUP');
    expect(await refusal(await sealedUpdate({ header: change }))).toBe('MIXUP');
  });

  it("a site that seals another site's update is MIXUP", async () => {
    expect(await refusal(await sealedUpdate({ header: { siteId: 'hungary' }, signer: keys.hungary }))).toBe(
      'MIXUP',
    );
  });

  it("a site that seals under another site's name is MIXUP", async () => {
    expect(await refusal(await sealedUpdate({ signer: keys.hungary }))).toBe('MIXUP');
  });

  it("a site that signs an update in another site's name is KEY_NOT_TRUSTED", async () => {
    expect(await refusal(await sealedUpdate({ update: updateEnvelope({}, keys.hungary) }))).toBe(
      'KEY_NOT_TRUSTED',
    );
  });
});

describe('E7: another payload', () => {
  it.each([
    ["another update's payload", utf8('safetensors of Hungary')],
    ['one flipped byte', flip(payload, 3)],
    ['one byte more', concatBytes(payload, new Uint8Array(1))],
    ['no payload', new Uint8Array()],
  ])('%s under a valid statement is SUBSTITUTED', async (_name, other) => {
    expect(await refusal(await sealedUpdate({ payload: other }))).toBe('SUBSTITUTED');
  });
});

describe('E8: another recipient', () => {
  it('a statement signed for one key and sealed again to another is WRONG_RECIPIENT', async () => {
    const forwarded = await sealedUpdate({
      header: { recipientKeyId: otherReceivingKey.keyId },
      recipientPublicKey: otherReceivingKey.publicKey,
    });
    expect(await refusal(forwarded, { receivingKey: otherReceivingKey })).toBe('WRONG_RECIPIENT');
  });

  it('a file for another key is WRONG_RECIPIENT before anything is decrypted', async () => {
    expect(await refusal(file, { receivingKey: otherReceivingKey })).toBe('WRONG_RECIPIENT');
  });

  it('a header that only claims this key does not open: DECRYPT_FAILED', async () => {
    const forOther = await sealedUpdate({
      header: { recipientKeyId: otherReceivingKey.keyId },
      recipientPublicKey: otherReceivingKey.publicKey,
    });
    const { ciphertext } = readSealedUpdate(forOther);
    expect(await refusal(resealed(() => ({}), ciphertext))).toBe('DECRYPT_FAILED');
  });
});

describe('E9, E10, E15 and E18 on the outside', () => {
  it.each([
    [
      'an unknown key',
      () => resealed(() => ({}), undefined, signingKeyOf('stranger')),
      trust,
      'KEY_NOT_TRUSTED',
    ],
    ['a steward key', () => resealed(() => ({}), undefined, keys.anna), trust, 'KEY_NOT_TRUSTED'],
    [
      'a revoked key',
      () => file,
      trustWith(keys.cleveland, { revokedAt: isoTime(nowMs) }),
      'KEY_NOT_TRUSTED',
    ],
    [
      'an unknown suite',
      () => resealed(() => ({ header: fromUtf8(encodeCanonicalJson({ ...header, suite: 2 })) })),
      trust,
      'BAD_STATEMENT',
    ],
    [
      'a duplicate field in the header',
      () => resealed(({ header: text }) => ({ header: text.replace('"suite":1', '"suite":1,"suite":1') })),
      trust,
      'BAD_STATEMENT',
    ],
    [
      'an unknown field in the header',
      () => resealed(({ header: text }) => ({ header: text.replace('"suite":1', '"suite":1,"x":1') })),
      trust,
      'BAD_STATEMENT',
    ],
    [
      'an encapsulated key of zeros',
      () => resealed(() => ({ enc: toBase64(new Uint8Array(32)) })),
      trust,
      'BAD_KEY',
    ],
    ['a short encapsulated key', () => resealed(() => ({ enc: 'AAAA' })), trust, 'BAD_KEY'],
  ])('%s: %s', async (_name, change, trusted, code) => {
    expect(await refusal(change(), { trust: trusted })).toBe(code);
  });

  it('an update statement in the place of the transport statement is WRONG_TYPE', async () => {
    const { ciphertext } = readSealedUpdate(file);
    expect(await refusal(encodeSealedFile({ outer: updateEnvelope(), ciphertext }))).toBe('WRONG_TYPE');
  });

  it('an approval in the place of the update is refused inside', async () => {
    const approval = approvalEnvelope(sha256Hex(updateStatement()));
    expect(await refusal(await sealedUpdate({ update: approval }))).toBe('KEY_NOT_TRUSTED');
  });

  it('another payload type, truly signed, is WRONG_TYPE', async () => {
    const { outer, ciphertext } = readSealedUpdate(file);
    const { payload: statement } = JSON.parse(fromUtf8(outer));
    const payloadType = 'application/json';
    const sig = toBase64(
      keys.cleveland.sign(preAuthenticationEncoding(payloadType, Buffer.from(statement, 'base64'))),
    );
    const signatures = [{ keyid: keys.cleveland.keyId, sig }];
    const other = encodeCanonicalJson({ payload: statement, payloadType, signatures });
    expect(await refusal(encodeSealedFile({ outer: other, ciphertext }))).toBe('WRONG_TYPE');
  });
});
