// What the shell and the site's process say to each other, beside the ports they hand on. The site's process reads strangers' files, so
// the shell takes from it only what has exactly this shape.
import { z } from 'zod';
import type { KeyAccess } from './key-access.ts';

export type ToSite =
  | { readonly kind: 'open'; readonly profile: string; readonly keys: KeyAccess }
  /** With one end of a channel whose other end is the window's. */
  | { readonly kind: 'renderer-port' }
  /** With one end of a channel to the training process. */
  | { readonly kind: 'training-port' }
  | { readonly kind: 'training-exit' };

const fromSite = z.discriminatedUnion('kind', [
  /** null: as many threads as the engine likes. */
  z.strictObject({ kind: z.literal('open-training'), threads: z.int().min(1).max(1_024).nullable() }),
  z.strictObject({ kind: z.literal('kill-training') }),
  z.strictObject({ kind: z.literal('training'), isTraining: z.boolean() }),
  /** Updates that wait for a steward. */
  z.strictObject({ kind: z.literal('waiting'), count: z.int().min(0).max(1_000_000) }),
  /** The site does not open, and would not open a second time either. */
  z.strictObject({ kind: z.literal('refused'), code: z.string().regex(/^[A-Z_]{1,60}$/) }),
]);

export type FromSite = z.infer<typeof fromSite>;

/** undefined for whatever is no message of a site. */
export function parseFromSite(value: unknown): FromSite | undefined {
  return fromSite.safeParse(value).data;
}
