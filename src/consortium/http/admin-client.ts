// The operations of a consortium that another process of this machine holds.
import { z } from 'zod';
import { BugError, CodedError } from '#base/coded-error.ts';
import type { ConsortiumOperations, OperationName } from '#consortium/operations.ts';

const answer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error: z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
  }),
]);

export interface AdminEndpoint {
  readonly url: string;
  readonly token: string;
}

/** @throws TypeError (of fetch) from every operation when nobody listens there. */
export function createAdminClient(endpoint: AdminEndpoint): ConsortiumOperations {
  // The answer is of the same program on this machine, which the token vouches for: its shape is not checked again.
  const call = <Name extends OperationName>(name: Name): ConsortiumOperations[Name] =>
    ((input: unknown) => request(endpoint, name, input)) as ConsortiumOperations[Name];
  return {
    status: call('status'),
    invite: call('invite'),
    publishPlan: call('publishPlan'),
    openRound: call('openRound'),
    closeRound: call('closeRound'),
    carryOutRemedy: call('carryOutRemedy'),
    dismissRemedy: call('dismissRemedy'),
    statistics: call('statistics'),
    exportBundle: call('exportBundle'),
    importBundle: call('importBundle'),
    verifyAudit: call('verifyAudit'),
  };
}

async function request({ url, token }: AdminEndpoint, name: OperationName, input: unknown): Promise<unknown> {
  const response = await fetch(new URL(`/v1/operations/${name}`, url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(input),
  });
  const body = answer.parse(await response.json());
  if (body.ok) return body.result;
  const { code, message, details } = body.error;
  throw code === 'BUG' ? new BugError(message) : new CodedError(code, message, { details });
}
