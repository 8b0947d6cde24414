// The renderer's files for a browser: a fixed folder, a strict Content-Security-Policy, and a cookie in exchange for the token.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fastifyCookie from '@fastify/cookie';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createToken, isToken } from '#base/token.ts';
import { guardPage } from '#host/content-security-policy.ts';
import type { Session } from '#host/session.ts';

/** Cookies do not know ports, so the name carries it: two sites on one machine keep their own sessions. */
export function sessionCookie(port: number | undefined): string {
  return `consilium-session-${port ?? 0}`;
}

export interface RendererPages {
  readonly token: string;
  readonly sessions: Map<string, Session>;
  readonly newSession: () => Session;
  /** Folder with the built index.html and its assets. */
  readonly directory: string;
}

/** Adds `GET /` and the files below it. Without a session nothing but a refusal is served. */
export async function addRendererPages(http: FastifyInstance, pages: RendererPages): Promise<void> {
  const index = readFileSync(path.join(pages.directory, 'index.html'), 'utf8');
  await http.register(fastifyCookie);
  await http.register(fastifyStatic, {
    root: path.join(pages.directory, 'assets'),
    prefix: '/assets/',
    cacheControl: false,
  });

  http.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-store',
    });
    const query = request.query as Record<string, string | undefined>;
    if (request.url.startsWith('/?token=') && isToken(query.token, pages.token))
      return beginSession(pages, reply);
    if (!pages.sessions.has(request.cookies[sessionCookie(request.socket.localPort)] ?? '')) {
      return reply
        .code(403)
        .type('text/plain; charset=utf-8')
        .send('Open the address that "consilium site serve" printed.');
    }
  });

  http.get('/', async (_request, reply) => {
    const { html, policy } = guardPage(index);
    return reply.header('Content-Security-Policy', policy).type('text/html; charset=utf-8').send(html);
  });
}

/** The token is taken out of the address bar at once; scripts cannot read the cookie and other sites cannot send it. */
function beginSession(pages: RendererPages, reply: FastifyReply): FastifyReply {
  const id = createToken();
  pages.sessions.set(id, pages.newSession());
  return reply
    .setCookie(sessionCookie(reply.request.socket.localPort), id, {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
    })
    .redirect('/', 303);
}
