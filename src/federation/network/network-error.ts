// Refusals of a model that a plan names. They name the layer and nothing that was made from it: nothing was.
import { CodedError } from '#base/coded-error.ts';

export type NetworkCode = 'LAYER_REFUSED' | 'NETWORK_TOO_LARGE' | 'SHAPES_DIFFER' | 'TOPOLOGY_MALFORMED';
export class NetworkError extends CodedError<NetworkCode> {}

/** A layer's name or class as a message may quote it: a plan's author chose it, and it may be anything. */
export function quotable(text: unknown): string {
  return typeof text === 'string' && /^[\w.-]{1,64}$/.test(text) ? text : '(a name that cannot be printed)';
}

/** A refusal of one layer. `rule` is one of ours. */
export function refuseLayer(layer: string, rule: string, code: NetworkCode = 'LAYER_REFUSED'): NetworkError {
  const name = quotable(layer);
  return new NetworkError(code, `layer ${name}: ${rule}`, { details: { layer: name, rule } });
}
