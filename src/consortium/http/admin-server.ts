// The operator's door: loopback only, with a token that stands in a 0600 file of the profile. One route for each operation.
import Fastify, { type FastifyRequest } from 'fastify';
import { BugError, CodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import { createToken, isBearer } from '#base/token.ts';
import { type ConsortiumOperations, type OperationName, operationInputs } from '#consortium/operations.ts';

export type AdminCode = 'ADMIN_REFUSED' | 'ADMIN_BAD_INPUT';
export class AdminError extends CodedError<AdminCode> {}

const MAX_BODY_BYTES = 8 * 1024 * 1024;

export interface AdminServer {
  /** http URL with the port. */
  readonly url: string;
  /** 64 hexadecimal digits. */
  readonly token: string;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 on a free port. */
export async function createAdminServer(
  operations: ConsortiumOperations,
  logger: Logger,
): Promise<AdminServer> {
  const token = createToken();
  const server = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    logger: false,
  });
  let authority = '';
  server.addHook('onRequest', async (request) => requireOperator(request, { authority, token }));
  for (const name of Object.keys(operationInputs) as OperationName[]) {
    server.post(`/v1/operations/${name}`, async (request) => {
      const result = await callOperation(operations, name, request.body);
      logger.info('operation', { action: name });
      return { ok: true, result };
    });
  }
  server.setErrorHandler((error, _request, reply) => {
    const isRefusal = error instanceof CodedError && !(error instanceof BugError);
    if (!isRefusal) logger.error('operation failed', { stack: stackOf(error) });
    const shown = isRefusal
      ? { code: error.code, message: error.message, details: error.details }
      : { code: 'BUG', message: 'Something is wrong in Consilium itself.', details: {} };
    return reply.code(isRefusal ? 422 : 500).send({ ok: false, error: shown });
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  authority = new URL(url).host;
  return { url, token, close: () => server.close() };
}

/** Calls an operation with input from outside. @throws AdminError ADMIN_BAD_INPUT. */
async function callOperation(
  operations: ConsortiumOperations,
  name: OperationName,
  body: unknown,
): Promise<unknown> {
  const parsed = operationInputs[name].safeParse(body ?? {});
  if (!parsed.success) {
    const fields = parsed.error.issues.slice(0, 5).map(({ path }) => path.join('.'));
    throw new AdminError('ADMIN_BAD_INPUT', 'The input does not fit the operation.', { details: { fields } });
  }
  const operation = operations[name] as (input: unknown) => Promise<unknown>;
  return operation(parsed.data);
}

/** Stops other accounts of the machine (token) and pages in a browser that guess the port (host, DNS rebinding). */
function requireOperator(
  request: FastifyRequest,
  { authority, token }: { authority: string; token: string },
): void {
  if (request.headers.host === authority && isBearer(request.headers.authorization, token)) return;
  throw new AdminError('ADMIN_REFUSED', 'Only the operator of this consortium may do this.');
}

function stackOf(error: unknown): string {
  const lines = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  return lines.filter((line) => /^\s+at /.test(line)).join('\n');
}
