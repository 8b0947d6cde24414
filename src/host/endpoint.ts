// The loopback door of an open site: the contract over a WebSocket, and the renderer's pages where a folder is given.
// Listens on 127.0.0.1 alone; every request needs the token or its cookie, the right Host and the right Origin.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { RPCHandler } from '@orpc/server/ws';
import Fastify from 'fastify';
import { WebSocketServer } from 'ws';
import { createToken, isBearer } from '#base/token.ts';
import { siteEndpoint } from '#host/endpoint-file.ts';
import { addRendererPages, sessionCookie } from '#host/renderer-pages.ts';
import { createSiteRouter } from '#host/router.ts';
import { guardSocket } from '#host/rpc-socket.ts';
import { Session } from '#host/session.ts';
import type { Site } from '#site/site.ts';

export interface Endpoint {
  /** `http://127.0.0.1:PORT/?token=…`: opens the renderer in a browser. */
  readonly launchUrl: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface EndpointOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** The built renderer, or null where only the command line comes in (under Electron). */
  readonly rendererDirectory: string | null;
}

interface DoorKeys {
  readonly token: string;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly newSession: () => Session;
}

const maxMessageBytes = 4 * 1024 * 1024;

/** Serves `site` on the loopback interface and leaves endpoint.json in its profile until closed. */
export async function openEndpoint(site: Site, options: EndpointOptions): Promise<Endpoint> {
  const token = createToken();
  const sessions = new Map<string, Session>();
  const newSession = () => new Session(site.clock);
  const http = Fastify({ bodyLimit: 1024, forceCloseConnections: true });
  http.addHook('onRequest', async (request, reply) => {
    if (!isOwnHost(request.raw)) return reply.code(403).send('wrong host');
  });
  if (options.rendererDirectory !== null) {
    await addRendererPages(http, { token, sessions, newSession, directory: options.rendererDirectory });
  }

  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
  const contract = new RPCHandler(createSiteRouter(site));
  http.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node takes its own listener off an upgraded socket: without one, a client that resets it would end the process.
    socket.on('error', () => socket.destroy());
    const session = sessionOf(request, { token, sessions, newSession });
    if (session === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      void contract.upgrade(guardSocket(webSocket, site.logger), { context: { session } });
    });
  });

  const url = await http.listen({ host: '127.0.0.1', port: options.port });
  siteEndpoint.save(site.profile, { url, token, pid: process.pid });
  return {
    launchUrl: `${url}/?token=${token}`,
    port: Number(new URL(url).port),
    close: async () => {
      siteEndpoint.remove(site.profile);
      for (const client of sockets.clients) client.terminate();
      await http.close();
    },
  };
}

/** The session a WebSocket may use, or undefined: by the cookie from our own page, or by the token from a program. */
function sessionOf(request: IncomingMessage, door: DoorKeys): Session | undefined {
  const { host, origin, cookie, authorization } = request.headers;
  if (request.url !== '/rpc' || !isOwnHost(request)) return undefined;
  if (origin === undefined) return isBearer(authorization, door.token) ? door.newSession() : undefined;
  // A page of another origin must not speak through the person's browser (cross-site WebSocket hijacking).
  if (origin !== `http://${host}`) return undefined;
  const id = new RegExp(`(?:^|; )${sessionCookie(request.socket.localPort)}=([0-9a-f]{64})(?:;|$)`).exec(
    cookie ?? '',
  )?.[1];
  return id === undefined ? undefined : door.sessions.get(id);
}

/** A name other than the loopback's own means that somebody's DNS points at us (DNS rebinding). */
function isOwnHost(request: IncomingMessage): boolean {
  const port = request.socket.localPort;
  return request.headers.host === `127.0.0.1:${port}` || request.headers.host === `localhost:${port}`;
}
