// endpoint.json in a profile: where the process that holds it listens, and the token that lets its owner in. Mode 0600.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { loadPrivateFile, savePrivateFile } from '#base/private-file.ts';

export interface EndpointFile<Endpoint> {
  /** @throws PrivateFileError PRIVATE_FILE_UNAVAILABLE. */
  save(profile: string, endpoint: Endpoint): void;
  /**
   * The endpoint that a running process left, or undefined. A file left by a killed process looks the same: try it.
   * @throws PrivateFileError PRIVATE_FILE_MODE when another account may have written it: what a person types there would be its.
   */
  load(profile: string): Endpoint | undefined;
  remove(profile: string): void;
}

/** `schema.parse` throws on what is no endpoint. */
export function defineEndpointFile<Endpoint>(schema: {
  parse(value: unknown): Endpoint;
}): EndpointFile<Endpoint> {
  const fileOf = (profile: string): string => join(profile, 'endpoint.json');
  return {
    save: (profile, endpoint) => savePrivateFile(fileOf(profile), utf8(`${JSON.stringify(endpoint)}\n`)),
    load: (profile) => {
      const bytes = loadPrivateFile(fileOf(profile));
      if (bytes === undefined) return undefined;
      try {
        return schema.parse(JSON.parse(fromUtf8(bytes)));
      } catch {
        return undefined;
      }
    },
    remove: (profile) => rmSync(fileOf(profile), { force: true }),
  };
}
