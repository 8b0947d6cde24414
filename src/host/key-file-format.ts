// The key file's JSON: every secret as base64, unknown fields refused.
import { z } from 'zod';
import { fromBase64, toBase64 } from '#base/bytes.ts';
import type { SiteKeys } from '#site/site.ts';

const bytesOf = (length: { readonly min: number; readonly max: number }) =>
  z
    .base64()
    .transform(fromBase64)
    .refine((bytes) => bytes.length >= length.min && bytes.length <= length.max);
const secret = bytesOf({ min: 32, max: 32 });

const keyFile = z.strictObject({
  format: z.literal('consilium-site-keys/v1'),
  storeKey: secret,
  linkageKey: secret,
  subjectKey: secret,
  siteSigningSeed: secret,
  siteLogSeed: secret,
  researchStudyKeys: z.record(z.string().max(64), secret),
  people: z.array(
    z.strictObject({
      name: z.string().min(1).max(100),
      scrypt: z.strictObject({
        N: z.int().min(2),
        r: z.int().min(1),
        p: z.int().min(1),
        salt: bytesOf({ min: 16, max: 64 }),
      }),
      sealedSeed: bytesOf({ min: 60, max: 60 }),
    }),
  ),
});

/** The JSON text of `keys`. */
export function encodeSiteKeys(keys: SiteKeys): string {
  const researchStudyKeys = Object.entries(keys.researchStudyKeys).map(([id, key]) => [id, toBase64(key)]);
  const people = keys.people.map(({ name, scrypt, sealedSeed }) => ({
    name,
    scrypt: { N: scrypt.N, r: scrypt.r, p: scrypt.p, salt: toBase64(scrypt.salt) },
    sealedSeed: toBase64(sealedSeed),
  }));
  const file = {
    format: 'consilium-site-keys/v1',
    storeKey: toBase64(keys.storeKey),
    linkageKey: toBase64(keys.linkageKey),
    subjectKey: toBase64(keys.subjectKey),
    siteSigningSeed: toBase64(keys.siteSigningSeed),
    siteLogSeed: toBase64(keys.siteLogSeed),
    researchStudyKeys: Object.fromEntries(researchStudyKeys),
    people,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The keys in a key file's text. @throws SyntaxError or ZodError; their texts may hold keys and are not to be shown. */
export function decodeSiteKeys(text: string): SiteKeys {
  const { format: _format, ...keys } = keyFile.parse(JSON.parse(text));
  return keys;
}
