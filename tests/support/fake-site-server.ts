// Serves the built renderer and a fake site on a loopback port, with the policy header and the nonce that index.html asks for.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RPCHandler } from '@orpc/server/ws';
import { WebSocketServer } from 'ws';
import { guardPage } from '#host/content-security-policy.ts';
import { createFakeSite, createFakeSiteRouter, type FakeSiteOptions } from './fake-site-router.ts';

const rendererFolder = fileURLToPath(new URL('../../dist/renderer/', import.meta.url));
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface FakeSiteServer {
  readonly url: string;
  /** Paths that the page asked for. */
  readonly requests: readonly string[];
  readonly site: ReturnType<typeof createFakeSite>;
  /** Cuts every socket, as a dying site would. */
  dropConnections(): void;
  close(): Promise<void>;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
  const file = path === '/' ? '/index.html' : path;
  try {
    const bytes = await readFile(join(rendererFolder, file));
    const { html, policy } = guardPage(bytes.toString('utf8'));
    const body = file === '/index.html' ? html : bytes;
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
    });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

export async function startFakeSiteServer(options: FakeSiteOptions = {}, port = 0): Promise<FakeSiteServer> {
  if (!existsSync(join(rendererFolder, 'index.html'))) {
    throw new Error('The renderer is not built: vite build --config vite.renderer.config.ts');
  }
  const site = createFakeSite(options);
  const handler = new RPCHandler(createFakeSiteRouter(site));
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    void answer(request, response);
  });
  const sockets = new WebSocketServer({ server, path: '/rpc', maxPayload: 4_000_000 });
  sockets.on('connection', (socket) => void handler.upgrade(socket));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const dropConnections = (): void => {
    for (const socket of sockets.clients) socket.terminate();
  };
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/`,
    requests,
    site,
    dropConnections,
    close: async () => {
      dropConnections();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
