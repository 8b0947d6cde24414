// The one policy of the renderer's page: only our own files, no inline script, styles by nonce, no other address (Electron security
// point 7). index.html carries it as a meta tag, the app:// handler and the loopback endpoint as a header: they are the same.
import { toBase64 } from '#base/bytes.ts';

/** The policy under a nonce. A meta tag cannot carry frame-ancestors and goes without that one directive. */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'", // point 7
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export interface GuardedPage {
  readonly html: string;
  /** Value of the Content-Security-Policy header to send it with. */
  readonly policy: string;
}

/** The built index.html under a fresh nonce of 16 bytes; one answer each. */
export function guardPage(html: string): GuardedPage {
  const nonce = toBase64(crypto.getRandomValues(new Uint8Array(16)));
  return { html: html.replaceAll('__CSP_NONCE__', nonce), policy: contentSecurityPolicy(nonce) };
}
