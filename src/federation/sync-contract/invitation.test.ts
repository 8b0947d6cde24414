import { describe, expect, it } from 'vitest';
import { toBase64 } from '#base/bytes.ts';
import { encodeSpki } from '#federation/crypto/spki.ts';
import { encodeInvitation, type Invitation, parseInvitation } from '#federation/sync-contract/invitation.ts';
import { keys, refusalOf } from '#support/signed-world.ts';

const content: Invitation = {
  url: 'https://127.0.0.1:8443',
  certificateDigest: 'ab'.repeat(32),
  rootPublicKey: toBase64(keys.root.publicKey),
  code: toBase64(new Uint8Array(16).fill(7)),
  siteId: 'cleveland',
  name: 'Cleveland Clinic – Köln',
  expires: '2026-11-28T08:00:00.000Z',
};
const text = encodeInvitation(content);
const textOf = (json: string): string => `consilium-invitation:${Buffer.from(json).toString('base64url')}`;

describe('an invitation', () => {
  it('comes back as it was, also folded by a mail program', () => {
    expect(parseInvitation(text)).toEqual(content);
    expect(parseInvitation(`  ${text.replace(/(.{40})/g, '$1\r\n')}\n`)).toEqual(content);
    expect(text).toMatch(/^consilium-invitation:[A-Za-z0-9_-]+$/);
  });

  it.each<[string, Partial<Record<keyof Invitation, unknown>>]>([
    ['plain http', { url: 'http://127.0.0.1:8443' }],
    ['a path', { url: 'https://127.0.0.1:8443/v1' }],
    ['a slash at the end', { url: 'https://127.0.0.1:8443/' }],
    ['a user in the address', { url: 'https://a:b@127.0.0.1' }],
    ['no address', { url: 'consortium' }],
    ['a short digest', { certificateDigest: 'ab' }],
    ['a small-order root key', { rootPublicKey: toBase64(encodeSpki('Ed25519', new Uint8Array(32))) }],
    ['a root key that is none', { rootPublicKey: 'AAAA' }],
    ['a code of 15 bytes', { code: toBase64(new Uint8Array(15)) }],
    ['a site id with a slash', { siteId: '../x' }],
    ['an override in the name', { name: '\u202eevil' }],
    ['a day for an expiry', { expires: '2026-11-28' }],
    ['an unknown field', { note: 'x' } as object],
  ])('with %s is BAD_INVITATION, made or read', async (_name, change) => {
    const changed = { ...content, ...change } as Invitation;
    expect(await refusalOf(() => encodeInvitation(changed))).toBe('BAD_INVITATION');
    expect(await refusalOf(() => parseInvitation(textOf(JSON.stringify(changed))))).toBe('BAD_INVITATION');
  });

  it.each([
    ['nothing', ''],
    ['the prefix alone', 'consilium-invitation:'],
    ['another prefix', text.replace('consilium', 'concilium')],
    ['a character cut off', text.slice(0, -1)],
    ['padding', `${text}=`],
    ['no JSON', textOf('invitation')],
    ['a duplicate field', textOf(JSON.stringify(content).replace('{', '{"siteId":"hungary",'))],
    ['a megabyte', `consilium-invitation:${'A'.repeat(1_000_000)}`],
  ])('%s is BAD_INVITATION, and the text is not quoted', (_name, wrong) => {
    const work = () => parseInvitation(wrong);
    expect(work).toThrow(
      expect.objectContaining({
        code: 'BAD_INVITATION',
        message: 'This text is no invitation of a consortium.',
      }),
    );
  });
});
