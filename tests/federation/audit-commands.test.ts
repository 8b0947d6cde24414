// The commands of the audit log as anybody types them: what leaves the log in each format, who receives it, and who may ask what.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAuditMessage } from '#support/audit-message-schema.ts';
import { type FhirRepository, openFhirRepository } from '#support/audit-repository.ts';
import { makeTestCertificates } from '#support/test-certificates.ts';

const command = fileURLToPath(new URL('../../src/cli/consilium.ts', import.meta.url));
let directory: string;
let repository: FhirRepository;
const at = (...names: string[]): string => path.join(directory, ...names);

interface Ended {
  readonly code: number | null;
  readonly answer: Record<string, unknown>;
}

function run(...words: string[]): Promise<Ended> {
  const env = { ...process.env, CONSILIUM_SECRET: 'a secret for this test' };
  const child = spawn(process.execPath, [command, ...words, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code, answer: output === '' ? {} : JSON.parse(output) })),
  );
}

const onSite = (...words: string[]): Promise<Ended> =>
  run('site', ...words, '--profile', at('profile'), '--keys', at('keys', 'site.json'));
const as = (user: string, ...words: string[]): Promise<Ended> => onSite('audit', ...words, '--user', user);

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-audit-commands-'));
  const certificates = await makeTestCertificates();
  repository = await openFhirRepository(certificates);
  writeFileSync(at('authority.pem'), certificates.authority);
  writeFileSync(at('token'), 'secret-token\n');
  await onSite('init', '--name', 'Hospital', '--time-zone', 'Europe/Berlin');
  await onSite('people', 'add', 'Ada Admin', '--role', 'admin');
  writeFileSync(at('secret'), 'a secret for this test');
  const ben = ['Ben Clerk', '--role', 'investigator', '--new-secret-file', at('secret')];
  await onSite('people', 'add', ...ben, '--user', 'Ada Admin');
}, 120_000);
afterAll(async () => {
  await repository.close();
  rmSync(directory, { recursive: true, force: true });
});

it('writes the log in every format beside the files that verify, and they do', async () => {
  const files = {
    json: undefined,
    csv: 'audit.csv',
    fhir: 'audit-events.ndjson',
    dicom: 'audit-messages.ndxml',
  };
  let leafCount = 0;
  for (const [format, copy] of Object.entries(files)) {
    const { code, answer } = await as('Ada Admin', 'export', '--out', at('export'), '--format', format);
    expect(code).toBe(0);
    expect(answer.files).toEqual([
      'leaves.jsonl',
      'details.jsonl',
      'checkpoints.txt',
      'log-key.json',
      ...(copy === undefined ? [] : [copy]),
    ]);
    leafCount = Number(answer.leafCount);
  }
  const lines = readFileSync(at('export', 'audit-messages.ndxml'), 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(leafCount);
  for (const line of lines) readAuditMessage(line);
  const verified = await run('audit', 'verify', at('export'), '--trust', at('export', 'log-key.json'));
  expect(verified).toMatchObject({ code: 0, answer: { verified: true, leafCount } });
}, 120_000);

it('forwards the log to whom an admin names, and to nobody else', async () => {
  expect(await as('Ben Clerk', 'forward', 'fhir', repository.url)).toMatchObject({
    code: 1,
    answer: { error: { code: 'ROLE_NOT_ALLOWED' } },
  });
  const receiver = ['--authority', at('authority.pem'), '--token-file', at('token')];
  const set = await as('Ada Admin', 'forward', 'fhir', repository.url, ...receiver);
  expect(set).toMatchObject({ code: 0, answer: { kind: 'fhir', receiver: repository.url, acknowledged: 0 } });
  const sent = await as('Ada Admin', 'forward', 'now');
  expect(sent).toMatchObject({ code: 0, answer: { waiting: 0, acknowledged: repository.events.size } });
  expect(repository.authorizations).toContain('Bearer secret-token');
  expect((await as('Ada Admin', 'forward', 'status')).answer).toMatchObject({
    acknowledged: repository.events.size,
  });
  expect(await as('Ada Admin', 'forward', 'syslog', 'arr.example')).toMatchObject({
    code: 1,
    answer: { error: { code: 'BAD_FORWARDING_SETTINGS' } },
  });
  expect((await as('Ada Admin', 'forward', 'off')).answer).toMatchObject({ kind: null });
}, 120_000);

it('tells of disclosures to whom the role table lets ask', async () => {
  expect(await as('Ben Clerk', 'disclosures', 'nobody')).toMatchObject({
    code: 1,
    answer: { error: { code: 'ROLE_NOT_ALLOWED' } },
  });
  expect(await onSite('audit', 'disclosures', 'nobody')).toMatchObject({
    answer: { error: { code: 'SIGN_IN_NEEDED' } },
  });
  expect(await as('Ada Admin', 'disclosures', 'nobody')).toMatchObject({
    code: 1,
    answer: { error: { code: 'SUBJECT_UNKNOWN' } },
  });
}, 120_000);
