// Every request a site can make to its consortium. All but the enrolment are signed (request-signature.ts).
import { z } from 'zod';
import { BugError } from '#base/coded-error.ts';
import { count, digestHex, identifier } from '#federation/records/fields.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path with `:name` where a value goes. */
  readonly path: string;
  /** False only for enrolment: its sender has no trusted key yet. */
  readonly isSigned: boolean;
  /** Media type of the request's body, null where it has none. */
  readonly request: string | null;
  /** Media type of the answer's body, null where it has none. */
  readonly response: string | null;
}

export const mediaTypes = {
  envelope: 'application/vnd.dsse.envelope.v1+json',
  json: 'application/json',
  bytes: 'application/octet-stream',
  note: 'text/plain; charset=utf-8',
} as const;

const { envelope, json, bytes, note } = mediaTypes;
const get = (path: string, response: string): Route => ({
  method: 'GET',
  path,
  isSigned: true,
  request: null,
  response,
});

export const routes = {
  /** Enrolment request -> 201, the trust list. */
  enrol: { method: 'POST', path: '/v1/enrolments', isSigned: false, request: envelope, response: envelope },
  trustList: get('/v1/trust-list', envelope),
  /** `researchStudySummaries`. */
  researchStudies: get('/v1/research-studies', json),
  plan: get('/v1/research-studies/:researchStudyId/plan', envelope),
  /** 204 without a body when no round is open. */
  openRound: get('/v1/research-studies/:researchStudyId/rounds/open', envelope),
  remedy: get('/v1/research-studies/:researchStudyId/remedies/:remedy', envelope),
  model: get('/v1/research-studies/:researchStudyId/models/:round', envelope),
  modelTensors: get('/v1/research-studies/:researchStudyId/models/:round/tensors', bytes),
  /** `LeafProof` (federation/log/leaf-proof.ts): the model is in the consortium's log. */
  modelProof: get('/v1/research-studies/:researchStudyId/models/:round/proof', json),
  /** `consistencyProof`: the log of `size` entries continues that of `oldSize`. */
  logConsistency: get('/v1/log-consistency/:oldSize/:size', json),
  /** Sealed update -> 200, the receipt; the same receipt for the same update again. */
  update: {
    method: 'PUT',
    path: '/v1/updates/:bundleId',
    isSigned: true,
    request: bytes,
    response: envelope,
  },
  /** Signed request for the plan's remedy -> 204; the same one again changes nothing. */
  remedyRequest: {
    method: 'POST',
    path: '/v1/remedy-requests',
    isSigned: true,
    request: envelope,
    response: json,
  },
  /** The consortium's answer to the site's own request; 204 without a body while it waits. */
  remedyAnswer: get('/v1/remedy-requests/:requestDigest/answer', envelope),
  /** The site's own signed checkpoint, as `LogExtension` (federation/log/log-extension.ts) -> 204; the consortium keeps it. */
  logCheckpoint: {
    method: 'POST',
    path: '/v1/log-checkpoints',
    isSigned: true,
    request: note,
    response: json,
  },
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof routes;

const treeSize = z.string().regex(/^[1-9][0-9]{0,15}$/);

/** Parameters of paths, in the form in which they are accepted. */
export const routeParameters = {
  researchStudyId: identifier,
  round: z.string().regex(/^(?:0|[1-9][0-9]{0,5})$/),
  remedy: z.string().regex(/^[1-9][0-9]{0,5}$/),
  bundleId: digestHex,
  requestDigest: digestHex,
  oldSize: treeSize,
  size: treeSize,
} as const;

export type RouteParameters = { readonly [Name in keyof typeof routeParameters]?: string | number };

/** The path of a route with its parameters put in. None of them can hold a slash or a dot segment (path traversal). */
export function routePath(route: Route, parameters: RouteParameters = {}): string {
  const values: Readonly<Record<string, string | number | undefined>> = parameters;
  const schemas: Readonly<Record<string, z.ZodType<string>>> = routeParameters;
  return route.path.replace(/:([A-Za-z]+)/g, (_match, name: string) => {
    const given = values[name];
    const value = given === undefined ? undefined : schemas[name]?.safeParse(String(given));
    if (value?.success !== true) throw new BugError(`no valid ${name} for ${route.path}`);
    return value.data;
  });
}

/** What a site sees of each research study it takes part in. */
export const researchStudySummaries = z
  .array(
    z.strictObject({
      researchStudyId: identifier,
      planVersion: z.int().min(1),
      /** Number of the last remedy that was carried out; 0 before the first. */
      remedy: count,
      /** Round of the newest global model that counts; 0 is the initial one. */
      latestModelRound: count,
      /** The round that is open, or null. */
      openRound: z.int().min(1).nullable(),
      attempt: z.int().min(1).nullable(),
    }),
  )
  .max(1000);
export type ResearchStudySummaries = z.infer<typeof researchStudySummaries>;

/** That one log continues another (RFC 6962 section 2.1.2): base64 of 32 bytes each. */
export const consistencyProof = z.strictObject({
  hashes: z.array(z.string().regex(/^[A-Za-z0-9+/]{43}=$/)).max(128),
});
export type ConsistencyProof = z.infer<typeof consistencyProof>;
