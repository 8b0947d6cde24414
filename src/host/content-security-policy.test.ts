import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { contentSecurityPolicy, guardPage } from './content-security-policy.ts';

const source = path.resolve(import.meta.dirname, '..');
const page = readFileSync(path.join(source, 'renderer/index.html'), 'utf8');

describe('the content security policy', () => {
  it('is the meta tag of index.html and frame-ancestors', () => {
    const meta = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(page)?.[1];
    expect(contentSecurityPolicy('__CSP_NONCE__')).toBe(`${meta}; frame-ancestors 'none'`);
  });

  it('allows nothing by default, and no unsafe source, foreign host or wildcard', () => {
    const policy = contentSecurityPolicy('n');
    expect(policy.startsWith("default-src 'none'; ")).toBe(true);
    const sources = policy.split('; ').flatMap((directive) => directive.split(' ').slice(1));
    expect([...new Set(sources)].sort()).toEqual(["'nonce-n'", "'none'", "'self'"]);
  });

  it('is written in one file of the host and the shell', () => {
    const others = ['host', 'main', 'headless']
      .flatMap((folder) =>
        readdirSync(path.join(source, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name)),
      )
      .filter((file) => readFileSync(file, 'utf8').includes('-src '))
      .map((file) => path.basename(file));
    expect(others.filter((name) => !name.endsWith('.test.ts'))).toEqual(['content-security-policy.ts']);
  });

  it('goes with a page that has its nonce in every place, another one each time', () => {
    const [first, second] = [guardPage(page), guardPage(page)];
    expect(first.html).not.toContain('__CSP_NONCE__');
    const nonce = /<meta name="csp-nonce" nonce="([^"]+)"/.exec(first.html)?.[1];
    expect(Buffer.from(nonce ?? '', 'base64')).toHaveLength(16);
    expect(first.policy).toContain(`'nonce-${nonce}'`);
    expect(second.policy).not.toBe(first.policy);
  });
});
