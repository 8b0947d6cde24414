// app://consilium/…: the built renderer and nothing else (Electron security points 1 and 18). No file:// page is ever loaded.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CustomScheme, Protocol } from 'electron';
import { guardPage } from '#host/content-security-policy.ts';

/** A standard, secure origin of its own. It bypasses no policy of Chromium and runs no service worker. */
export const appScheme: CustomScheme = {
  scheme: 'app',
  privileges: { standard: true, secure: true, supportFetchAPI: true },
};

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Answers from a list of files made once: a path that is not on it, whatever its dots and slashes, is not found. */
export function serveRenderer(protocol: Pick<Protocol, 'handle'>, directory: string): void {
  const files = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(`/${path.relative(directory, file).split(path.sep).join('/')}`, file);
  }
  protocol.handle('app', (request) => {
    const { host, pathname } = new URL(request.url);
    const file = host === 'consilium' ? files.get(pathname === '/' ? '/index.html' : pathname) : undefined;
    if (file === undefined || request.method !== 'GET') return new Response('not found', { status: 404 }); // point 1
    return respond(file);
  });
}

function respond(file: string): Response {
  const type = contentTypes[path.extname(file)] ?? 'application/octet-stream';
  const headers = { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' };
  if (path.extname(file) !== '.html') return new Response(new Uint8Array(readFileSync(file)), { headers });
  const { html, policy } = guardPage(readFileSync(file, 'utf8')); // point 7
  return new Response(html, { headers: { ...headers, 'Content-Security-Policy': policy } });
}
