// How the consortium's log names a published model: a site that was sent a model finds its very digest in the logged entry,
// so that a consortium cannot show two sites two models of one round without signed proof of it (security.md E13).

/** `action` of the log entry of a published model. */
export const MODEL_PUBLISHED_ACTION = 'global-model-published';

/** `object` of that entry; `modelDigest` is the sha256 of the model's safetensors. */
export function publishedModelObject(modelDigest: string): string {
  return `global-model:${modelDigest}`;
}

/** Origin of the log of the consortium with this root key. */
export function consortiumLogOrigin(rootKeyId: string): string {
  return `consilium.example/consortium/${rootKeyId.slice(0, 16)}/log`;
}
