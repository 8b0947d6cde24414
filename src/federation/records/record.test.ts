import { describe, expect, it } from 'vitest';
import { fromUtf8, toBase64, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { preAuthenticationEncoding } from '#federation/crypto/dsse.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { approvalRecord } from '#federation/records/approval.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { base64Text } from '#federation/records/fields.ts';
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import { receiptRecord } from '#federation/records/receipt.ts';
import { encodeStatement, readUnverified, signStatement, verifyRecord } from '#federation/records/record.ts';
import { trustListRecord } from '#federation/records/trust-list.ts';
import {
  approvalEnvelope,
  flip,
  keys,
  nowMs,
  payload,
  refusalOf,
  signingKeyOf,
  trust,
  trustEntries,
  trustListOf,
  trustWith,
  updateEnvelope,
  updatePredicate,
  updateStatement,
} from '#support/signed-world.ts';

const options = { trust, atMs: nowMs };
const verify = (envelope: Uint8Array): Promise<string> =>
  refusalOf(() => verifyRecord(modelUpdateRecord, envelope, options));

/** An envelope of any bytes and type, with true signatures. */
function envelopeOf(
  statement: Uint8Array,
  signers: readonly SigningKey[],
  payloadType = 'application/vnd.in-toto+json',
): Uint8Array {
  const bytes = preAuthenticationEncoding(payloadType, statement);
  const signatures = signers.map((key) => ({ keyid: key.keyId, sig: toBase64(key.sign(bytes)) }));
  return encodeCanonicalJson({ payload: toBase64(statement), payloadType, signatures });
}

/** The statement's text with a part replaced, truly signed again. */
function resigned(from: string, to: string): Uint8Array {
  const text = fromUtf8(updateStatement());
  expect(text).toContain(from);
  return envelopeOf(utf8(text.replace(from, to)), [keys.cleveland]);
}

/** The envelope's text with a part replaced, not signed again. */
function rewritten(from: string, to: string): Uint8Array {
  const text = fromUtf8(updateEnvelope());
  expect(text).toContain(from);
  return utf8(text.replace(from, to));
}

describe('a signed record', () => {
  it('gives back what was signed, its digests and its signer', () => {
    const record = verifyRecord(modelUpdateRecord, updateEnvelope(), { ...options, siteId: 'cleveland' });
    expect(record.predicate).toEqual(updatePredicate());
    expect(record.statement).toEqual(updateStatement());
    expect(record.digest).toBe(sha256Hex(updateStatement()));
    expect(record.subjectDigest).toBe(sha256Hex(payload));
    expect(record.signers.map(({ siteId }) => siteId)).toEqual(['cleveland']);
  });

  it('is the same bytes each time', () => {
    expect(updateEnvelope()).toEqual(updateEnvelope());
  });

  it('without a payload has its own predicate for a subject', () => {
    const predicate = trustListOf(trustEntries);
    const envelope = signStatement(encodeStatement(trustListRecord, { predicate }), [keys.root]);
    expect(verifyRecord(trustListRecord, envelope, options).subjectDigest).toBe(
      sha256Hex(encodeCanonicalJson(predicate)),
    );
  });

  it('by two keys has two signers, and one by an unknown key beside a trusted one is passed over', () => {
    const approval = approvalEnvelope(sha256Hex(payload), {}, [
      keys.anna,
      keys.ben,
      signingKeyOf('stranger'),
    ]);
    const both = verifyRecord(approvalRecord, approval, options);
    expect(both.signers.map(({ person }) => person)).toEqual(['Anna', 'Ben']);
  });
});

describe('E2: one changed byte', () => {
  it('anywhere in the envelope is refused', async () => {
    const envelope = updateEnvelope();
    const codes = new Set<string>();
    for (let at = 0; at < envelope.length; at += 1) codes.add(await verify(flip(envelope, at)));
    expect([...codes].sort()).toEqual(['BAD_SIGNATURE', 'BAD_STATEMENT', 'KEY_NOT_TRUSTED', 'WRONG_TYPE']);
  });

  it('in the statement is BAD_SIGNATURE', async () => {
    const statement = updateStatement();
    const signed = fromUtf8(envelopeOf(statement, [keys.cleveland]));
    for (let at = 0; at < statement.length; at += 1) {
      const changed = signed.replace(toBase64(statement), toBase64(flip(statement, at)));
      expect(await verify(utf8(changed))).toBe('BAD_SIGNATURE');
    }
  });

  it('in the signature is BAD_SIGNATURE', async () => {
    const signature = keys.cleveland.sign(
      preAuthenticationEncoding('application/vnd.in-toto+json', updateStatement()),
    );
    for (let at = 0; at < signature.length; at += 1) {
      expect(await verify(rewritten(toBase64(signature), toBase64(flip(signature, at))))).toBe(
        'BAD_SIGNATURE',
      );
    }
  });
});

describe('E9: keys that are not to be trusted for this', () => {
  it.each([
    ['an unknown key', () => updateEnvelope({}, signingKeyOf('stranger')), trust],
    ['a steward key on an update', () => updateEnvelope({}, keys.anna), trust],
    ['a plan key on an update', () => updateEnvelope({}, keys.plan), trust],
    ['a revoked key', () => updateEnvelope(), trustWith(keys.cleveland, { revokedAt: isoTime(nowMs) })],
    ['an expired key', () => updateEnvelope(), trustWith(keys.cleveland, { notAfter: isoTime(nowMs) })],
    [
      'a key that is not valid yet',
      () => updateEnvelope(),
      trustWith(keys.cleveland, { notBefore: isoTime(nowMs + 1) }),
    ],
    ["another site's key", () => updateEnvelope({}, keys.hungary), trust],
  ])('%s is KEY_NOT_TRUSTED', async (_name, envelope, trusted) => {
    const code = await refusalOf(() =>
      verifyRecord(modelUpdateRecord, envelope(), { trust: trusted, atMs: nowMs }),
    );
    expect(code).toBe('KEY_NOT_TRUSTED');
  });

  it('a record of another site than the one that must have signed is KEY_NOT_TRUSTED', async () => {
    const envelope = updateEnvelope({ siteId: 'hungary' }, keys.hungary);
    expect(await refusalOf(() => verifyRecord(modelUpdateRecord, envelope, options))).toBe('nothing');
    const code = await refusalOf(() =>
      verifyRecord(modelUpdateRecord, envelope, { ...options, siteId: 'cleveland' }),
    );
    expect(code).toBe('KEY_NOT_TRUSTED');
  });

  it('a key revoked later still verifies what it signed before', async () => {
    const later = trustWith(keys.cleveland, { revokedAt: isoTime(nowMs + 1) });
    expect(
      await refusalOf(() => verifyRecord(modelUpdateRecord, updateEnvelope(), { trust: later, atMs: nowMs })),
    ).toBe('nothing');
  });

  it("a consortium record may name any site: the receipt's key is no site's", () => {
    const predicate = {
      researchStudyId: 'heart-disease',
      round: 2,
      siteId: 'hungary',
      updateDigest: sha256Hex(payload),
      receivedAt: isoTime(nowMs),
    };
    const envelope = signStatement(encodeStatement(receiptRecord, { predicate }), [keys.model]);
    expect(verifyRecord(receiptRecord, envelope, options).predicate).toEqual(predicate);
  });
});

describe('E10: a true signature for something else', () => {
  it.each([
    [
      'another payload type',
      () => envelopeOf(updateStatement(), [keys.cleveland], 'application/vnd.other+json'),
    ],
    [
      'a type that only differs in case',
      () => envelopeOf(updateStatement(), [keys.cleveland], 'application/vnd.in-toto+JSON'),
    ],
    ['another record by the same key', () => resigned('model-update/v1', 'transport/v1')],
    ['another version of the record', () => resigned('model-update/v1', 'model-update/v2')],
  ])('%s is WRONG_TYPE', async (_name, envelope) => {
    expect(await verify(envelope())).toBe('WRONG_TYPE');
  });

  it('the type changed after signing is refused too', async () => {
    expect(await verify(rewritten('vnd.in-toto', 'vnd.in-tot0'))).toBe('WRONG_TYPE');
  });
});

describe('E15: statements that are truly signed and still refused', () => {
  it.each([
    ['an unknown field in the predicate', '"attempt":1', '"attempt":1,"extra":1'],
    ['an unknown field in the statement', '"_type":', '"extra":1,"_type":'],
    ['a missing field', '"attempt":1,', ''],
    ['a duplicate field', '"attempt":1', '"attempt":1,"attempt":1'],
    ['__proto__', '"attempt":1', '"attempt":1,"__proto__":{}'],
    ['an infinite number', '"after":0.5', '"after":1e999'],
    ['NaN', '"after":0.5', '"after":NaN'],
    ['2^53 + 1', '"exampleCount":199', '"exampleCount":9007199254740993'],
    ['a fraction for a count', '"exampleCount":199', '"exampleCount":199.5'],
    ['a text for a count', '"exampleCount":199', '"exampleCount":"199"'],
    ['a lone surrogate', '"deidProfile":"none"', '"deidProfile":"\\ud800"'],
    ['a bidirectional override', '"deidProfile":"none"', '"deidProfile":"\u202enone"'],
    ['a digest in upper case', sha256Hex(payload), sha256Hex(payload).toUpperCase()],
    ['another statement type', 'in-toto.io/Statement/v1', 'in-toto.io/Statement/v0.1'],
    ['another digest algorithm', '"sha256":', '"sha512":'],
    ['no subject', /"subject":\[.*?\]/.exec(fromUtf8(updateStatement()))?.[0] ?? '', '"subject":[]'],
  ])('%s is BAD_STATEMENT', async (_name, from, to) => {
    expect(await verify(resigned(from, to))).toBe('BAD_STATEMENT');
  });

  it.each([
    ['no signatures', () => envelopeOf(updateStatement(), [])],
    ['two signatures by one key', () => envelopeOf(updateStatement(), [keys.cleveland, keys.cleveland])],
    ['an unknown field in the envelope', () => rewritten('"payloadType"', '"extra":1,"payloadType"')],
    ['a payload that is not canonical base64', () => rewritten('"payload":"', '"payload":" ')],
    [
      '17 signatures',
      () =>
        envelopeOf(
          updateStatement(),
          Array.from({ length: 17 }, (_v, n) => signingKeyOf(`${n}`)),
        ),
    ],
    ['no JSON', () => utf8('DSSE')],
    ['nothing', () => new Uint8Array()],
  ])('%s is BAD_STATEMENT', async (_name, envelope) => {
    expect(await verify(envelope())).toBe('BAD_STATEMENT');
  });

  it('is not encoded either, and the refusal names the field without its value', () => {
    const predicate = updatePredicate({ deidProfile: 'Planted\u202e' });
    const work = () => encodeStatement(modelUpdateRecord, { predicate });
    expect(work).toThrow(
      expect.objectContaining({
        code: 'BAD_STATEMENT',
        details: { expected: 'update', found: ['deidProfile'] },
      }),
    );
    expect(work).toThrow(expect.objectContaining({ message: expect.not.stringContaining('Planted') }));
  });
});

describe('base64 in a record', () => {
  it.each(['AB==', 'AAB=', 'AA=A', 'A', '-_-_', 'AA ='])(
    '%j is refused: another text of the same bytes, or none',
    (text) => {
      expect(base64Text(40).safeParse(text).success).toBe(false);
    },
  );
});

describe('a record whose keys are in its own content', () => {
  it('is believed only where each key signed it', () => {
    const record = readUnverified(
      modelUpdateRecord,
      envelopeOf(updateStatement(), [keys.cleveland, keys.anna]),
    );
    expect(record.predicate).toEqual(updatePredicate());
    expect(() => record.verifySignedBy(keys.cleveland.publicKey)).not.toThrow();
    expect(() => record.verifySignedBy(keys.anna.publicKey)).not.toThrow();
    expect(() => record.verifySignedBy(keys.ben.publicKey)).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNATURE' }),
    );
  });
});
