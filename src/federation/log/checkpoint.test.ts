import { describe, expect, it } from 'vitest';
import { fromBase64, toHex } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { encodeSpki } from '#federation/crypto/spki.ts';
import { parseCheckpoint, signCheckpoint, verifyCheckpoint } from '#federation/log/checkpoint.ts';
import {
  encodeVerifierKey,
  noteKeyId,
  parseNote,
  signNote,
  verifyNote,
} from '#federation/log/signed-note.ts';

const signer = createSigningKey(new Uint8Array(32).fill(3));
const origin = 'consilium.example/site/cleveland/log';
const key = { name: origin, publicKey: signer.publicKey };
const checkpoint = { origin, size: 20852163, rootHash: new Uint8Array(32).fill(9) };

describe('a signed note', () => {
  // The example of the Go package golang.org/x/mod/sumdb/note, from which C2SP signed-note was written down.
  const verifierKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const example = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;
  const peter = {
    name: 'PeterNeumann',
    publicKey: encodeSpki('Ed25519', fromBase64('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW').slice(1)),
  };

  it('has the key id and verifier key of the published example', () => {
    expect(toHex(noteKeyId(peter))).toBe('c74f20a3');
    expect(encodeVerifierKey(peter)).toBe(verifierKey);
  });

  it('verifies the published example, and not with a letter changed', () => {
    verifyNote(parseNote(example), peter);
    expect(() => verifyNote(parseNote(example.replace('answer', 'Answer')), peter)).toThrow(
      expect.objectContaining({ code: 'BAD_CHECKPOINT' }),
    );
  });

  it('passes over signatures of others and asks for its own', () => {
    const witness = createSigningKey(new Uint8Array(32).fill(4));
    const note =
      signNote('text\n', 'log', signer) + signNote('text\n', 'witness', witness).slice('text\n\n'.length);
    verifyNote(parseNote(note), { name: 'log', publicKey: signer.publicKey });
    verifyNote(parseNote(note), { name: 'witness', publicKey: witness.publicKey });
    expect(() => verifyNote(parseNote(note), { name: 'log', publicKey: witness.publicKey })).toThrow(
      expect.objectContaining({ code: 'LOG_KEY_NOT_TRUSTED' }),
    );
  });
});

describe('a checkpoint', () => {
  it('has the lines of tlog-checkpoint and gives back what was signed', () => {
    const note = signCheckpoint(checkpoint, signer);
    expect(note.split('\n').slice(0, 4)).toEqual([
      origin,
      '20852163',
      'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=',
      '',
    ]);
    expect(note.split('\n')[4]?.startsWith(`\u2014 ${origin} `)).toBe(true);
    expect(verifyCheckpoint(note, key)).toEqual(checkpoint);
  });

  it('is refused by the wrong key, for another log, and with any character changed', () => {
    const note = signCheckpoint(checkpoint, signer);
    const other = createSigningKey(new Uint8Array(32).fill(5));
    expect(() => verifyCheckpoint(note, { ...key, publicKey: other.publicKey })).toThrow(
      expect.objectContaining({ code: 'LOG_KEY_NOT_TRUSTED' }),
    );
    expect(() => verifyCheckpoint(note, { ...key, name: 'consilium.example/site/hungary/log' })).toThrow(
      expect.objectContaining({ code: 'LOG_KEY_NOT_TRUSTED' }),
    );
    for (let at = 0; at < note.length; at += 1) {
      const changed = `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`;
      expect(() => verifyCheckpoint(changed, key), `position ${at}`).toThrow();
    }
  });

  it('may carry extension lines', () => {
    const note = signNote(`${origin}\n1\n${'A'.repeat(43)}=\nextension one\nextension two\n`, origin, signer);
    expect(verifyCheckpoint(note, key).size).toBe(1);
  });

  it.each([
    ['no size', `${origin}\n`],
    ['a leading zero', `${origin}\n01\n${'A'.repeat(43)}=\n`],
    ['a sign', `${origin}\n+1\n${'A'.repeat(43)}=\n`],
    ['a size beyond 2^53', `${origin}\n9007199254740993\n${'A'.repeat(43)}=\n`],
    ['a short root', `${origin}\n1\nAAAA\n`],
    ['a root in another base64 form', `${origin}\n1\n${'A'.repeat(42)}B=\n`],
    ['an origin with a space', `a log\n1\n${'A'.repeat(43)}=\n`],
    ['an empty extension line', `${origin}\n1\n${'A'.repeat(43)}=\n\nmore\n`],
    ['a carriage return', `${origin}\r\n1\n${'A'.repeat(43)}=\n`],
  ])('is refused with %s', (_, text) => {
    expect(() => parseCheckpoint(signNote(text, origin, signer))).toThrow(
      expect.objectContaining({ code: 'BAD_CHECKPOINT' }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no signature', `${origin}\n1\n${'A'.repeat(43)}=\n`],
    ['an empty signature block', `${origin}\n1\n${'A'.repeat(43)}=\n\n\n`],
    ['a hyphen for the em dash', signCheckpoint(checkpoint, signer).replace('\u2014', '-')],
    ['no last line feed', signCheckpoint(checkpoint, signer).slice(0, -1)],
    ['a short signature', `${origin}\n1\n${'A'.repeat(43)}=\n\n\u2014 ${origin} AAAA\n`],
    ['a hundred thousand lines', `${'x\n'.repeat(100_000)}\n\u2014 ${origin} AAAAAAAA\n`],
  ])('is refused when the note has %s', (_, note) => {
    expect(() => parseCheckpoint(note)).toThrow(expect.objectContaining({ code: 'BAD_CHECKPOINT' }));
  });
});
