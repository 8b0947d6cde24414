// How the consortium's log names a published model: a site that was sent a model finds the digests of its tensors and of its
// statement in the logged entry, so that a consortium cannot show two sites two models of one round, nor two lists of what one was
// made from, without signed proof of it (security.md E13, E14).

/** `action` of the log entry of a published model. */
export const MODEL_PUBLISHED_ACTION = 'global-model-published';

export interface PublishedDigests {
  /** sha256 of the model's safetensors. */
  readonly modelDigest: string;
  /** sha256 of the bytes of its signed statement. */
  readonly statementDigest: string;
}

/** `object` of that entry. */
export function publishedModelObject({ modelDigest, statementDigest }: PublishedDigests): string {
  return `global-model:${modelDigest}:${statementDigest}`;
}

/** Origin of the log of the consortium with this root key. */
export function consortiumLogOrigin(rootKeyId: string): string {
  return `consilium.example/consortium/${rootKeyId.slice(0, 16)}/log`;
}
