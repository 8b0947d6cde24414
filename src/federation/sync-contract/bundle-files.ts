// Where each request and answer of the sync contract lies in an offline bundle: the same bytes as over HTTPS, as files. A bundle is of one
// research study, so its id stands in the manifest alone.
import { z } from 'zod';
import { BugError } from '#base/coded-error.ts';
import { digestHex, logSize } from '#federation/records/fields.ts';
import type { RouteName, RouteParameters } from '#federation/sync-contract/routes.ts';

/** Answers of the consortium that a bundle to a site carries. */
const answerFiles: Readonly<Partial<Record<RouteName, (parameters: RouteParameters) => string>>> = {
  trustList: () => TRUST_LIST_FILE,
  researchStudies: () => 'plans/research-studies.json',
  plan: () => 'plans/plan.dsse',
  openRound: () => 'plans/round.dsse',
  remedy: ({ remedy }) => `plans/remedy-${remedy}.dsse`,
  model: ({ round }) => `models/round-${round}.dsse`,
  modelTensors: ({ round }) => `models/round-${round}.safetensors`,
  modelProof: ({ round }) => `log/round-${round}.json`,
  logConsistency: ({ oldSize, size }) => `log/consistency-${oldSize}-${size}.json`,
  remedyAnswer: ({ requestDigest }) => `receipts/remedy-answer-${requestDigest}.dsse`,
  update: ({ bundleId }) => `receipts/${bundleId}.dsse`,
};

/** Read before the manifest: it holds the key that signed it. */
export const TRUST_LIST_FILE = 'trust/trust-list.dsse';

/** The file with the answer of a route. */
export function answerFile(route: RouteName, parameters: RouteParameters = {}): string {
  const name = answerFiles[route]?.(parameters);
  if (name === undefined) throw new BugError(`a bundle carries no answer of ${route}`);
  return name;
}

/** Proof that the receipt's entry stands in the consortium's log (`LeafProof`). */
export function receiptProofFile(bundleId: string): string {
  return `log/receipt-${bundleId}.json`;
}

/** What the consortium holds of the site besides updates: in place of the empty answers to checkpoints and remedy requests. */
export const HELD_FILE = 'receipts/held.json';
export const heldOfSite = z.strictObject({
  /** Of the newest checkpoint of the site's log; 0 before the first. */
  logSize,
  /** Digests of the statements. */
  remedyRequests: z.array(digestHex).max(10_000),
});
export type HeldOfSite = Readonly<z.infer<typeof heldOfSite>>;

const updateName = /^updates\/([0-9a-f]{64})\.consilium-update$/;
const remedyRequestName = /^updates\/remedy-request-[0-9a-f]{64}\.dsse$/;
const checkpointName = /^log\/checkpoint-from-(0|[1-9][0-9]{0,9})\.note$/;

/** A sealed update, by the id that it is put under. */
export function updateFile(bundleId: string): string {
  return `updates/${bundleId}.consilium-update`;
}

export function remedyRequestFile(digest: string): string {
  return `updates/remedy-request-${digest}.dsse`;
}

/** The site's checkpoint with its proof from `oldSize`: the site cannot know which one the consortium holds. */
export function checkpointFile(oldSize: number): string {
  return `log/checkpoint-from-${oldSize}.note`;
}

/** What a bundle from a site asks, told by the names of its files. */
export interface CarriedRequests {
  /** Name and bundle id. */
  readonly updates: readonly { readonly name: string; readonly bundleId: string }[];
  readonly remedyRequests: readonly string[];
  /** By the size that the proof starts from. */
  readonly checkpoints: ReadonlyMap<number, string>;
  /** Files that are none of these. */
  readonly others: readonly string[];
}

export function sortRequests(names: Iterable<string>): CarriedRequests {
  const updates: { name: string; bundleId: string }[] = [];
  const remedyRequests: string[] = [];
  const checkpoints = new Map<number, string>();
  const others: string[] = [];
  for (const name of names) {
    const bundleId = updateName.exec(name)?.[1];
    const oldSize = checkpointName.exec(name)?.[1];
    if (bundleId !== undefined) updates.push({ name, bundleId });
    else if (remedyRequestName.test(name)) remedyRequests.push(name);
    else if (oldSize !== undefined) checkpoints.set(Number(oldSize), name);
    else others.push(name);
  }
  return { updates, remedyRequests, checkpoints, others };
}
