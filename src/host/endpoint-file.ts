// endpoint.json in a profile: where the process that holds it listens, and the token that lets its owner in. Mode 0600.
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const endpointFile = z.strictObject({
  url: z.url(),
  token: z.string().regex(/^[0-9a-f]{64}$/),
  pid: z.int(),
});
export type EndpointFile = z.infer<typeof endpointFile>;

const fileName = 'endpoint.json';

export function saveEndpointFile(profile: string, endpoint: EndpointFile): void {
  const target = path.join(profile, fileName);
  const part = `${target}.part`;
  writeFileSync(part, JSON.stringify(endpoint), { mode: 0o600 });
  chmodSync(part, 0o600);
  renameSync(part, target);
}

/** The endpoint a running process left, or undefined. A file left by a killed process looks the same: try it. */
export function loadEndpointFile(profile: string): EndpointFile | undefined {
  try {
    return endpointFile.parse(JSON.parse(readFileSync(path.join(profile, fileName), 'utf8')));
  } catch {
    return undefined;
  }
}

export function removeEndpointFile(profile: string): void {
  rmSync(path.join(profile, fileName), { force: true });
}
