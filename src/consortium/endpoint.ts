// endpoint.json in a profile: where the process that holds it listens for its operator, and the token that lets in. Mode 0600.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { loadPrivateFile, savePrivateFile } from './store/private-file.ts';

const endpointFile = z.strictObject({
  /** https URL for sites. */
  url: z.url(),
  /** http URL on loopback for the operator. */
  adminUrl: z.url(),
  token: z.string().regex(/^[0-9a-f]{64}$/),
  pid: z.int(),
});
export type Endpoint = z.infer<typeof endpointFile>;

const fileOf = (profile: string): string => join(profile, 'endpoint.json');

export function saveEndpoint(profile: string, endpoint: Endpoint): void {
  savePrivateFile(fileOf(profile), `${JSON.stringify(endpoint)}\n`);
}

/**
 * The endpoint of the running process, or undefined. A process that was killed leaves its file; whoever finds the profile's
 * lock free does not read it.
 * @throws ProfileError PRIVATE_FILE_MODE.
 */
export function loadEndpoint(profile: string): Endpoint | undefined {
  const text = loadPrivateFile(fileOf(profile));
  if (text === undefined) return undefined;
  try {
    return endpointFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function removeEndpoint(profile: string): void {
  rmSync(fileOf(profile), { force: true });
}
