// Audit record repositories of a test: a FHIR R4 endpoint with conditional create, and a syslog receiver over TLS. Each keeps what it got and
// fails as it is told.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { TestCertificates } from './test-certificates.ts';

interface BatchEntry {
  readonly resource: {
    readonly meta: { readonly tag: readonly { readonly system: string; readonly code: string }[] };
  };
  readonly request: { readonly method: string; readonly url: string; readonly ifNoneExist: string };
}

export interface FhirRepository {
  readonly url: string;
  /** Stored events by the tag under which each was created, in order. */
  readonly events: Map<string, BatchEntry['resource']>;
  readonly authorizations: (string | undefined)[];
  requestCount: number;
  /** Answers before the usual one: true where it did. Called once the events are stored where `isStored`. */
  fault: (response: ServerResponse, isStored: boolean) => boolean;
  /** Status of an event in the place of 201. */
  refuse: (code: string) => string | undefined;
  close(): Promise<void>;
}

export async function openFhirRepository(certificates: TestCertificates, port = 0): Promise<FhirRepository> {
  const state: Omit<FhirRepository, 'url' | 'close'> = {
    events: new Map(),
    authorizations: [],
    requestCount: 0,
    fault: () => false,
    refuse: () => undefined,
  };
  const server = createHttpsServer({ ...certificates.server }, async (request: IncomingMessage, response) => {
    state.requestCount += 1;
    state.authorizations.push(request.headers.authorization);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (state.fault(response, false)) return;
    const bundle = JSON.parse(Buffer.concat(parts).toString('utf8')) as { entry: readonly BatchEntry[] };
    const entry = bundle.entry.map((one) => ({ response: { status: store(state, one) } }));
    if (state.fault(response, true)) return;
    response.setHeader('content-type', 'application/fhir+json');
    response.end(JSON.stringify({ resourceType: 'Bundle', type: 'batch-response', entry }));
  });
  const bound = await listen(server, port);
  return Object.assign(state, { url: `https://127.0.0.1:${bound}/fhir`, close: () => close(server) });
}

function store(state: Omit<FhirRepository, 'url' | 'close'>, { resource, request }: BatchEntry): string {
  const query = new URLSearchParams(request.ifNoneExist);
  const [tag] = resource.meta.tag;
  if (request.method !== 'POST' || request.url !== 'AuditEvent') return '405';
  if (tag === undefined || query.get('_tag') !== `${tag.system}|${tag.code}`) return '412';
  const refusal = state.refuse(tag.code);
  if (refusal !== undefined) return refusal;
  if (state.events.has(tag.code)) return '200 OK';
  state.events.set(tag.code, resource);
  return '201 Created';
}

export interface SyslogReceiver {
  readonly port: number;
  /** Whole messages, in order. */
  readonly messages: string[];
  /** Bytes of a connection after which it is torn down; null: none is. */
  dropAfter: number | null;
  close(): Promise<void>;
}

/** @param asksForCertificate as ATNA has it: both ends show one */
export async function openSyslogReceiver(
  certificates: TestCertificates,
  { port = 0, asksForCertificate = false } = {},
): Promise<SyslogReceiver> {
  const state: Pick<SyslogReceiver, 'messages' | 'dropAfter'> = { messages: [], dropAfter: null };
  const mutual = asksForCertificate
    ? { requestCert: true, rejectUnauthorized: true, ca: certificates.authority }
    : {};
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer({ ...certificates.server, ...mutual }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    const reader = createFrameReader((message) => state.messages.push(message));
    let byteCount = 0;
    socket.on('data', (bytes: Buffer) => {
      byteCount += bytes.length;
      if (state.dropAfter !== null && byteCount > state.dropAfter) {
        reader(bytes.subarray(0, bytes.length - (byteCount - state.dropAfter)));
        socket.destroy();
        return;
      }
      reader(bytes);
    });
  });
  server.on('tlsClientError', () => {});
  const bound = await listen(server, port);
  const shut = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await close(server);
  };
  return Object.assign(state, { port: bound, close: shut });
}

/** RFC 5425 section 4.3: MSG-LEN SP SYSLOG-MSG, wherever the bytes are cut. */
function createFrameReader(onMessage: (message: string) => void): (bytes: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    for (;;) {
      const space = pending.indexOf(0x20);
      if (space < 0) return;
      const length = Number(pending.toString('latin1', 0, space));
      if (!(length > 0)) throw new Error('no frame');
      if (pending.length < space + 1 + length) return;
      onMessage(pending.toString('utf8', space + 1, space + 1 + length));
      pending = pending.subarray(space + 1 + length);
    }
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function close(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  server.closeAllConnections?.();
  return new Promise((resolve) => server.close(() => resolve()));
}
