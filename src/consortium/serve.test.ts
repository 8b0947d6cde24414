import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '#base/logger.ts';
import { lockProfile } from '#base/profile-lock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { initialiseConsortium, reachConsortium, serveConsortium } from './consortium.ts';
import { softwareVersion } from './software.ts';

let folder: string;
let profile: string;
let keyFile: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-serve-'));
  profile = join(folder, 'profile');
  keyFile = join(folder, 'keys', 'consortium.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

const options = () => ({ profile, keyFile, logger: silentLogger });
const init = () => initialiseConsortium({ ...options(), name: 'Test' });
const serve = () => serveConsortium({ ...options(), host: '127.0.0.1', port: 0 });

interface Endpoint {
  readonly adminUrl: string;
  readonly token: string;
}
const endpoint = (): Endpoint => JSON.parse(readFileSync(join(profile, 'endpoint.json'), 'utf8')) as Endpoint;

describe('init', () => {
  it('keeps the keys outside the profile, for their owner alone, and never twice', async () => {
    await init();
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(statSync(profile).mode & 0o777).toBe(0o700);
    const before = readFileSync(keyFile);
    await expect(init()).rejects.toMatchObject({ code: 'PROFILE_EXISTS' });
    expect(readFileSync(keyFile)).toEqual(before);
  });

  it('refuses a key file inside the profile, also through a link', async () => {
    keyFile = join(profile, 'keys.json');
    await expect(init()).rejects.toMatchObject({ code: 'CONSORTIUM_KEYS_INSIDE_PROFILE' });
    symlinkSync(profile, join(folder, 'link'));
    keyFile = join(folder, 'link', 'keys.json');
    await expect(init()).rejects.toMatchObject({ code: 'CONSORTIUM_KEYS_INSIDE_PROFILE' });
  });

  it('goes on where it was killed after it had made the keys', async () => {
    await init();
    rmSync(profile, { recursive: true });
    const keys = readFileSync(keyFile);
    await init();
    expect(readFileSync(keyFile)).toEqual(keys);
  });

  it.each(['http://consortium.example', 'https://consortium.example/path', 'consortium.example'])(
    'refuses %s as its URL',
    async (url) => {
      await expect(initialiseConsortium({ ...options(), name: 'Test', url })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      });
    },
  );
});

describe('opening a profile', () => {
  it('refuses a key file that others may read', async () => {
    await init();
    chmodSync(keyFile, 0o640);
    await expect(reachConsortium(options())).rejects.toMatchObject({ code: 'PRIVATE_FILE_MODE' });
  });

  it('refuses a missing, a broken and a foreign key file', async () => {
    await init();
    const text = readFileSync(keyFile, 'utf8');
    rmSync(keyFile);
    await expect(reachConsortium(options())).rejects.toMatchObject({ code: 'CONSORTIUM_KEYS_MISSING' });
    writeFileSync(keyFile, text.slice(0, -10), { mode: 0o600 });
    await expect(reachConsortium(options())).rejects.toMatchObject({ code: 'CONSORTIUM_KEYS_BROKEN' });
    const foreign = { ...(JSON.parse(text) as object), storeKey: Buffer.alloc(32).toString('base64') };
    writeFileSync(keyFile, JSON.stringify(foreign), { mode: 0o600 });
    await expect(reachConsortium(options())).rejects.toMatchObject({ code: 'DATABASE_UNREADABLE' });
  });

  it('is refused where there is no consortium, and while another process holds it without answering', async () => {
    await expect(reachConsortium(options())).rejects.toMatchObject({ code: 'PROFILE_MISSING' });
    await init();
    const lock = lockProfile(profile);
    await expect(serve()).rejects.toMatchObject({ code: 'PROFILE_IN_USE' });
    lock?.release();
  });

  it('leaves no plain text in the store', async () => {
    await init();
    const reached = await reachConsortium(options());
    await reached.operations.publishPlan({ plan: { ...samplePlan, title: 'PLANTED-TITLE' } });
    const files = ['consortium.db', 'consortium.db-wal']
      .map((name) => join(profile, name))
      .filter((file) => existsSync(file));
    for (const file of files) expect(readFileSync(file).includes('PLANTED-TITLE')).toBe(false);
    reached.close();
  });
});

describe('a served consortium', () => {
  it('is reached through its process, with the same operations', async () => {
    await init();
    const served = await serve();
    const reached = await reachConsortium(options());
    expect(reached.isRemote).toBe(true);
    expect((await reached.operations.status({})).url).toBe(served.url);
    expect(await reached.operations.publishPlan({ plan: samplePlan })).toMatchObject({ version: 1 });
    const refused = reached.operations.openRound({ researchStudyId: samplePlan.researchStudyId });
    await expect(refused).rejects.toMatchObject({
      code: 'PARTICIPANT_NOT_ENROLLED',
      details: { missing: ['cleveland', 'hungary'] },
    });
    await served.stop();
    expect(existsSync(join(profile, 'endpoint.json'))).toBe(false);
    const local = await reachConsortium(options());
    expect(local.isRemote).toBe(false);
    expect((await local.operations.status({})).researchStudies).toHaveLength(1);
    local.close();
  });

  it('speaks TLS 1.3 alone, with the certificate whose digest it announces', async () => {
    await init();
    const served = await serve();
    const { hostname: host, port } = new URL(served.url);
    const secure = await new Promise<{ version: string | null; digest: string }>((resolve, reject) => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
        resolve({ version: socket.getProtocol(), digest: sha256Hex(socket.getPeerCertificate(true).raw) });
        socket.destroy();
      });
      socket.on('error', reject);
    });
    expect(secure).toEqual({ version: 'TLSv1.3', digest: served.certificateDigest });
    const old = new Promise((resolve, reject) => {
      const socket = connect(
        { host, port: Number(port), rejectUnauthorized: false, maxVersion: 'TLSv1.2' },
        () => resolve('connected'),
      );
      socket.on('error', reject);
    });
    await expect(old).rejects.toMatchObject({ code: expect.stringMatching(/PROTOCOL_VERSION|ECONNRESET/) });
    const status = await new Promise((resolve, reject) => {
      request(`${served.url}/v1/trust-list`, { rejectUnauthorized: false }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(401);
    await served.stop();
  });

  it('lets in only who has the token, under its own name', async () => {
    await init();
    const served = await serve();
    expect(statSync(join(profile, 'endpoint.json')).mode & 0o777).toBe(0o600);
    const { adminUrl, token } = endpoint();
    expect(new URL(adminUrl).hostname).toBe('127.0.0.1');
    const call = async (authorization: string, body = '{}', host?: string) => {
      const headers = {
        'content-type': 'application/json',
        authorization,
        ...(host === undefined ? {} : { host }),
      };
      const answer = await fetch(`${adminUrl}/v1/operations/status`, { method: 'POST', headers, body });
      return ((await answer.json()) as { ok: boolean; error?: { code: string } }).error?.code ?? 'done';
    };
    expect(await call(`Bearer ${token}`)).toBe('done');
    expect(await call('')).toBe('ADMIN_REFUSED');
    expect(await call(`Bearer ${'0'.repeat(64)}`)).toBe('ADMIN_REFUSED');
    expect(await call(`Bearer ${token}`, '{"extra":1}')).toBe('ADMIN_BAD_INPUT');
    const { port } = new URL(adminUrl);
    const rebound = fetch(`http://localhost:${port}/v1/operations/status`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    const code = await rebound.then(
      async (answer) => ((await answer.json()) as { error: { code: string } }).error.code,
      () => 'ADMIN_REFUSED',
    );
    expect(code).toBe('ADMIN_REFUSED');
    await served.stop();
  });

  it('killed with SIGKILL, leaves a profile that opens at once', async () => {
    await init();
    const script = `
      const { serveConsortium } = await import(${JSON.stringify(new URL('./consortium.ts', import.meta.url).href)});
      await serveConsortium({ profile: ${JSON.stringify(profile)}, keyFile: ${JSON.stringify(keyFile)}, host: '127.0.0.1', port: 0 });
      process.stdout.write('serving');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, CONSILIUM_LOG: 'error' },
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(lockProfile(profile)).toBeUndefined();
    const through = await reachConsortium(options());
    expect(through.isRemote).toBe(true);
    await through.operations.publishPlan({ plan: samplePlan });
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(join(profile, 'endpoint.json'))).toBe(true);
    const reached = await reachConsortium(options());
    expect(reached.isRemote).toBe(false);
    expect((await reached.operations.status({})).researchStudies).toHaveLength(1);
    expect((await reached.operations.verifyAudit({})).verified).toBe(true);
    reached.close();
  });
});

describe('the software version in the log', () => {
  it('is that of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(softwareVersion).toBe(version);
  });
});
