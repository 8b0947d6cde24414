// A FHIR server with Bulk Data export, for tests: loopback, with whatever fault a test asks for.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ExportedFile {
  readonly type: string;
  readonly lines: readonly string[];
  /** As the manifest states it; left out: the true number. */
  readonly count?: number | null;
  readonly kind?: 'output' | 'deleted' | 'error';
}

export interface BulkExportServer {
  readonly url: string;
  readonly origin: string;
  /** `METHOD path`, in order. */
  readonly requests: {
    readonly line: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[];
  files: readonly ExportedFile[];
  transactionTime: string;
  requiresAccessToken: boolean;
  /** Answers before the ordinary one: true where it answered. */
  fault: (request: IncomingMessage, response: ServerResponse, body: string) => boolean;
  /** Changes the manifest before it is sent. */
  manifest: (manifest: Record<string, unknown>) => unknown;
  /** Exports begun. */
  exportCount: number;
  close(): Promise<void>;
}

const maxPolls = 2;

/** @param certificate speaks TLS with it */
export async function openBulkExportServer(certificate?: {
  readonly cert: string;
  readonly key: string;
}): Promise<BulkExportServer> {
  const requests: { line: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const polls = new Map<string, number>();
  const state: Pick<
    BulkExportServer,
    'files' | 'transactionTime' | 'requiresAccessToken' | 'fault' | 'manifest' | 'exportCount'
  > = {
    exportCount: 0,
    files: [],
    transactionTime: '2026-11-20T10:00:00Z',
    requiresAccessToken: false,
    fault: () => false,
    manifest: (manifest) => manifest,
  };
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      requests.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
      if (!state.fault(request, response, body)) answer(request, response);
    });
  };
  const server: Server =
    certificate === undefined ? createServer(serve) : createTlsServer(certificate, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scheme = certificate === undefined ? 'http' : 'https';
  const origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function answer({ url = '', method }: IncomingMessage, response: ServerResponse): void {
    if (url.includes('$export')) {
      state.exportCount += 1;
      response.writeHead(202, { 'content-location': `${origin}/status/${state.exportCount}` }).end();
    } else if (url.startsWith('/status/')) {
      if (method === 'DELETE') return void response.writeHead(202).end();
      const polled = (polls.get(url) ?? 0) + 1;
      polls.set(url, polled);
      if (polled < maxPolls)
        return void response.writeHead(202, { 'retry-after': '0', 'x-progress': 'half' }).end();
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(state.manifest(listFiles())));
    } else sendFile(url, response);
  }

  function listFiles(): Record<string, unknown> {
    const listed = (wanted: ExportedFile['kind']) =>
      state.files.flatMap(({ type, lines, count = lines.length, kind = 'output' }, index) =>
        kind === wanted
          ? [
              {
                type,
                url: `${origin}/file/${state.exportCount}/${index}`,
                ...(count === null ? {} : { count }),
              },
            ]
          : [],
      );
    return {
      transactionTime: state.transactionTime,
      request: `${origin}/fhir/Patient/$export`,
      requiresAccessToken: state.requiresAccessToken,
      output: listed('output'),
      deleted: listed('deleted'),
      error: listed('error'),
    };
  }

  function sendFile(url: string, response: ServerResponse): void {
    const file = state.files[Number(url.split('/').at(-1))];
    if (!url.startsWith('/file/') || file === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/fhir+ndjson' }).end(fileText(file));
  }

  return Object.assign(state, {
    url: `${origin}/fhir`,
    origin,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

export function fileText({ lines }: ExportedFile): string {
  return lines.map((line) => `${line}\n`).join('');
}
