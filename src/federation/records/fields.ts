// Field types shared by the signed records. Numbers are finite, texts have a length, unknown fields are refused (strictObject).
import { z } from 'zod';

export const digestHex = z.string().regex(/^[0-9a-f]{64}$/);
export const identifier = z.string().regex(/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/);
export const isoTimestamp = z.iso.datetime({ precision: 3 });
/** Padded base64 without stray bits: one sequence of bytes has one text. */
export const base64Text = (maxLength: number) =>
  z
    .base64()
    .max(maxLength)
    .refine((text) => Buffer.from(text, 'base64').toString('base64') === text);
export const positiveNumber = z.number().positive();
/** Text for people: no control characters, no bidirectional overrides (Trojan-source display attacks). */
export const plainText = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
    .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]*$/);
/** Entries of a log, or a claim of them: far above any real log, far below where sizes stop being exact. */
export const logSize = z.int().min(0).max(1_000_000_000);
export const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
