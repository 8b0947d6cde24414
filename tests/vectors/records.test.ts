// Files and headers as they were first written. Where one of these fails, what other installations hold can no longer be read.
import { describe, expect, it } from 'vitest';
import { fromBase64, fromUtf8, utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { receiptRecord } from '#federation/records/receipt.ts';
import { encodeStatement, signStatement, verifyRecord } from '#federation/records/record.ts';
import { openSealedUpdate, verifyApprovals } from '#federation/records/sealed-update.ts';
import { encodeInvitation, parseInvitation } from '#federation/sync-contract/invitation.ts';
import { signRequest } from '#federation/sync-contract/request-signature.ts';
import { keys, nowMs, receivingKey, trust } from '#support/signed-world.ts';
import vectors from './records.json' with { type: 'json' };

describe('what was written once', () => {
  it('is the same record byte by byte, and verifies', () => {
    const { predicate, statement, digest, envelope } = vectors.receipt;
    expect(fromUtf8(encodeStatement(receiptRecord, { predicate }))).toBe(statement);
    expect(sha256Hex(utf8(statement))).toBe(digest);
    expect(fromUtf8(signStatement(utf8(statement), [keys.model]))).toBe(envelope);
    const verified = verifyRecord(receiptRecord, utf8(envelope), { trust, atMs: nowMs });
    expect([verified.predicate, verified.digest]).toEqual([predicate, digest]);
  });

  it('is the same signed request', () => {
    const { signer: _signer, headers, body, ...request } = vectors.request;
    expect(signRequest({ ...request, body: utf8(body), signer: keys.cleveland })).toEqual(headers);
  });

  it('is the same invitation', () => {
    expect(encodeInvitation(vectors.invitation.content)).toBe(vectors.invitation.text);
    expect(parseInvitation(vectors.invitation.text)).toEqual(vectors.invitation.content);
  });

  it('is a sealed update that still opens, with approvals that still verify', async () => {
    const { file, payload, updateDigest, recipientKeyId } = vectors.sealedUpdate;
    expect(receivingKey.keyId).toBe(recipientKeyId);
    const opened = await openSealedUpdate({ file: fromBase64(file), receivingKey, trust, atMs: nowMs });
    expect(fromUtf8(opened.payload)).toBe(payload);
    expect(opened.update.digest).toBe(updateDigest);
    expect(verifyApprovals({ ...opened, trust, atMs: nowMs, requiredStewards: 1 })).toHaveLength(1);
  });
});
