// Signs a release: writes release.dsse over the installers of a folder, by one or more keys. Run where the release keys are, offline.
// Usage: node scripts/launch.mjs scripts/sign-release.ts FOLDER --version X.Y.Z --days N --seed-file FILE [--seed-file FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { toBase64 } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { encodeEnvelope } from '#federation/records/envelope.ts';
import { describeRelease } from './packaging/describe-release.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: 'string' },
    days: { type: 'string', default: '180' },
    'seed-file': { type: 'string', multiple: true },
  },
});
const [folder] = positionals;
const seedFiles = values['seed-file'] ?? [];
if (folder === undefined || values.version === undefined || seedFiles.length === 0) {
  console.error(
    'usage: sign-release.ts FOLDER --version X.Y.Z [--days N] --seed-file FILE [--seed-file FILE]',
  );
  process.exit(2);
}
const releasedAtMs = Date.now();
const payload = describeRelease(folder, {
  version: values.version,
  releasedAtMs,
  expiresMs: releasedAtMs + Number(values.days) * 86_400_000,
});
const keys = seedFiles.map((file) => createSigningKey(new Uint8Array(readFileSync(file))));
writeFileSync(path.join(folder, 'release.dsse'), encodeEnvelope(payload, keys));
for (const { publicKey } of keys) console.log(`signed by ${toBase64(publicKey)}`);
