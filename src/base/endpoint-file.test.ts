import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineEndpointFile } from './endpoint-file.ts';

const endpointFile = defineEndpointFile(z.strictObject({ url: z.url(), pid: z.int() }));
const endpoint = { url: 'http://127.0.0.1:8000', pid: 7 };

let profile: string;
let file: string;
beforeEach(() => {
  profile = mkdtempSync(join(tmpdir(), 'consilium-endpoint-'));
  file = join(profile, 'endpoint.json');
});
afterEach(() => rmSync(profile, { recursive: true }));

describe('an endpoint file', () => {
  it('is there for its owner alone from save to remove', () => {
    expect(endpointFile.load(profile)).toBeUndefined();
    endpointFile.save(profile, endpoint);
    expect(endpointFile.load(profile)).toEqual(endpoint);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    endpointFile.remove(profile);
    endpointFile.remove(profile);
    expect(readdirSync(profile)).toEqual([]);
  });

  it.each(['', '{', '{"url":"http://127.0.0.1:8000"}', '{"url":1,"pid":7}', '[]'])(
    'that holds %j is as none',
    (text) => {
      writeFileSync(file, text, { mode: 0o600 });
      expect(endpointFile.load(profile)).toBeUndefined();
    },
  );

  it('that another account may have written is refused', () => {
    endpointFile.save(profile, endpoint);
    chmodSync(file, 0o620);
    expect(() => endpointFile.load(profile)).toThrow(expect.objectContaining({ code: 'PRIVATE_FILE_MODE' }));
  });
});
