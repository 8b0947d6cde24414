// A release from the signing script to the site that looks for it, and every way in which one is refused.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromUtf8, toBase64, utf8 } from '#base/bytes.ts';
import { preAuthenticationEncoding } from '#federation/crypto/dsse.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { encodeEnvelope } from '#federation/records/envelope.ts';
import { findRelease, stageInstaller } from '../../src/main/release-check.ts';
import { type ReleaseStatement, verifyRelease } from '../../src/main/release-record.ts';
import { openReleaseFeed, openReleaseFolder } from '../../src/main/release-source.ts';
import { describeRelease } from './describe-release.ts';

const nowMs = Date.parse('2026-11-01T00:00:00.000Z');
const day = 86_400_000;
const [first, second, stranger] = [1, 2, 3].map((fill) => createSigningKey(new Uint8Array(32).fill(fill)));
if (first === undefined || second === undefined || stranger === undefined) throw new Error('no keys');
const trust = { keys: [first.publicKey, second.publicKey], threshold: 2 };
const verify = { trust, nowMs, runningVersion: '0.1.0' };
const machine = { platform: 'linux' as const, arch: 'x64', format: 'deb' };

let work: string;
let stick: string;
beforeEach(() => {
  work = mkdtempSync(path.join(tmpdir(), 'consilium-release-'));
  stick = path.join(work, 'stick');
  mkdirSync(stick);
  writeFileSync(path.join(stick, 'consilium-site_0.2.0_amd64.deb'), 'an installer for Debian');
  writeFileSync(path.join(stick, 'consilium-site-0.2.0.msi'), 'an installer for Windows');
  writeFileSync(path.join(stick, 'notes.txt'), 'no installer');
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const describeNow = (version = '0.2.0', expiresMs = nowMs + 30 * day) =>
  describeRelease(stick, { version, releasedAtMs: nowMs - day, expiresMs });
const sign = (payload = describeNow(), keys = [first, second]) =>
  writeFileSync(path.join(stick, 'release.dsse'), encodeEnvelope(payload, keys));
const edited = (edit: (statement: ReleaseStatement) => unknown) => {
  const statement = JSON.parse(fromUtf8(describeNow())) as ReleaseStatement;
  edit(statement);
  return utf8(JSON.stringify(statement));
};
const refused = (code: string) => expect.objectContaining({ code });
const fromStick = () => findRelease([openReleaseFolder(stick)], verify);

describe('a release in a folder', () => {
  it('is found, and its installer staged as a copy that was checked', async () => {
    sign();
    const found = await fromStick();
    expect(found?.release).toMatchObject({
      version: '0.2.0',
      installers: [{ format: 'msi' }, { format: 'deb' }],
    });
    if (found === undefined) throw new Error('not found');
    const file = await stageInstaller(found, { ...machine, folder: path.join(work, 'staged') });
    expect(readFileSync(file, 'utf8')).toBe('an installer for Debian');
    expect(readdirSync(path.dirname(file))).toEqual(['consilium-site_0.2.0_amd64.deb']);
  });

  it('is nothing where the stick is out, has no release, or has the running one', async () => {
    expect(await findRelease([openReleaseFolder(path.join(work, 'unplugged'))], verify)).toBeUndefined();
    expect(await fromStick()).toBeUndefined();
    sign(describeNow('0.1.0'));
    expect(await fromStick()).toBeUndefined();
  });

  it.each<[string, string, () => void]>([
    ['one signature of two', 'RELEASE_NOT_SIGNED', () => sign(describeNow(), [first])],
    ['signed by strangers', 'RELEASE_NOT_SIGNED', () => sign(describeNow(), [stranger])],
    [
      'signed once by us and once by a stranger',
      'RELEASE_NOT_SIGNED',
      () => sign(describeNow(), [first, stranger]),
    ],
    ['older than the running one', 'RELEASE_OLDER', () => sign(describeNow('0.0.9'))],
    ['older in a number of two digits', 'RELEASE_OLDER', () => sign(describeNow('0.0.10'))],
    ['expired', 'RELEASE_EXPIRED', () => sign(describeNow('0.2.0', nowMs))],
    [
      'of another kind of record',
      'RELEASE_BROKEN',
      () => sign(edited((s) => Object.assign(s, { predicateType: 'https://consilium.example/round/v1' }))),
    ],
    [
      'with an unknown field',
      'RELEASE_BROKEN',
      () => sign(edited((s) => Object.assign(s.predicate, { script: 'x' }))),
    ],
    [
      'with a file name that leads out',
      'RELEASE_BROKEN',
      () => sign(edited((s) => Object.assign(s.predicate.installers[0] ?? {}, { name: '../x.deb' }))),
    ],
    ['with an installer that has no digest', 'RELEASE_BROKEN', () => sign(edited((s) => s.subject.pop()))],
    [
      'with one file twice',
      'RELEASE_BROKEN',
      () => sign(edited((s) => s.subject[0] && s.subject.push(s.subject[0]))),
    ],
    ['no envelope', 'RELEASE_BROKEN', () => writeFileSync(path.join(stick, 'release.dsse'), '{}')],
    [
      'endless',
      'RELEASE_BROKEN',
      () => writeFileSync(path.join(stick, 'release.dsse'), ' '.repeat(2 ** 20 + 1)),
    ],
  ])('is refused when it is %s', async (_case, code, make) => {
    make();
    await expect(fromStick()).rejects.toThrow(refused(code));
  });

  it('is refused when a byte of it changed after it was signed', async () => {
    sign();
    const file = path.join(stick, 'release.dsse');
    const envelope = JSON.parse(readFileSync(file, 'utf8'));
    const payload = Buffer.from(envelope.payload, 'base64').toString().replace('0.2.0"', '0.3.0"');
    writeFileSync(file, JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString('base64') }));
    await expect(fromStick()).rejects.toThrow(refused('RELEASE_NOT_SIGNED'));
  });

  it('is refused when it was signed for another protocol', () => {
    const payload = describeNow();
    const signedBytes = preAuthenticationEncoding('text/plain', payload);
    const signatures = [first, second].map((key) => ({
      keyid: key.keyId,
      sig: toBase64(key.sign(signedBytes)),
    }));
    const record = utf8(
      JSON.stringify({ payload: toBase64(payload), payloadType: 'text/plain', signatures }),
    );
    expect(() => verifyRelease(record, verify)).toThrow(refused('RELEASE_BROKEN'));
  });

  it.each<[string, () => void]>([
    [
      'changed',
      () => writeFileSync(path.join(stick, 'consilium-site_0.2.0_amd64.deb'), 'an Installer for Debian'),
    ],
    ['longer', () => appendFileSync(path.join(stick, 'consilium-site_0.2.0_amd64.deb'), '!')],
    ['cut off', () => writeFileSync(path.join(stick, 'consilium-site_0.2.0_amd64.deb'), 'an installer')],
  ])('leaves nothing behind when the installer is %s', async (_case, change) => {
    sign();
    const found = await fromStick();
    if (found === undefined) throw new Error('not found');
    change();
    const folder = path.join(work, 'staged');
    await expect(stageInstaller(found, { ...machine, folder })).rejects.toThrow(refused('RELEASE_CHANGED'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is given up at its signed length when its installer does not end', async () => {
    sign();
    const found = await fromStick();
    if (found === undefined) throw new Error('not found');
    let parts = 0;
    async function* endless() {
      // An end after all, so that the test fails and does not hang where nobody counts.
      for (; parts < 1000; parts += 1) yield new Uint8Array(16);
    }
    const source = { ...found.source, readInstaller: endless };
    const folder = path.join(work, 'staged');
    const staging = stageInstaller({ ...found, source }, { ...machine, folder });
    await expect(staging).rejects.toThrow(refused('RELEASE_CHANGED'));
    expect(parts).toBeLessThan(5);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is newer by its numbers, not by its letters', async () => {
    sign(describeNow('0.10.0'));
    const found = await findRelease([openReleaseFolder(stick)], { ...verify, runningVersion: '0.9.0' });
    expect(found?.release.version).toBe('0.10.0');
  });

  it('is not described when sites would refuse the name of an installer', () => {
    writeFileSync(path.join(stick, 'Consilium Site Setup.exe'), 'an installer');
    expect(() => describeNow()).toThrow('sites refuse the name');
  });

  it('has no installer for a machine that it does not name', async () => {
    sign();
    const found = await fromStick();
    if (found === undefined) throw new Error('not found');
    const folder = path.join(work, 'staged');
    await expect(stageInstaller(found, { ...machine, arch: 'arm64', folder })).rejects.toThrow(
      refused('RELEASE_NO_INSTALLER'),
    );
    expect(existsSync(folder)).toBe(false);
  });
});

describe('a release at an address', () => {
  const asked: { address: string; redirect: unknown; credentials: unknown }[] = [];
  const served = async (address: string, { redirect, credentials }: RequestInit): Promise<Response> => {
    asked.push({ address, redirect, credentials });
    const file = path.join(stick, path.basename(new URL(address).pathname));
    return existsSync(file) ? new Response(readFileSync(file)) : new Response('', { status: 404 });
  };
  const offline = async () => {
    throw new TypeError('fetch failed');
  };
  const feed = 'https://releases.hospital.example/consilium';

  it('is found below the address, without redirect or cookie', async () => {
    sign();
    const found = await findRelease([openReleaseFeed(served, feed)], verify);
    if (found === undefined) throw new Error('not found');
    await stageInstaller(found, { ...machine, folder: path.join(work, 'staged') });
    expect(asked.slice(-2)).toEqual(
      ['release.dsse', 'consilium-site_0.2.0_amd64.deb'].map((name) => ({
        address: `${feed}/${name}`,
        redirect: 'error',
        credentials: 'omit',
      })),
    );
  });

  it('is not asked for where the folder has one', async () => {
    sign();
    asked.length = 0;
    await findRelease([openReleaseFolder(stick), openReleaseFeed(served, feed)], verify);
    expect(asked).toEqual([]);
  });

  it('is said to be out of reach only where no place could be read', async () => {
    await expect(findRelease([openReleaseFeed(offline, feed)], verify)).rejects.toThrow(
      refused('RELEASE_UNREACHABLE'),
    );
    expect(
      await findRelease([openReleaseFolder(stick), openReleaseFeed(offline, feed)], verify),
    ).toBeUndefined();
    const failing = async () => new Response('', { status: 500 });
    await expect(findRelease([openReleaseFeed(failing, feed)], verify)).rejects.toThrow(
      refused('RELEASE_UNREACHABLE'),
    );
  });

  it('is refused when its record does not end', async () => {
    const endless = async () => new Response(new Uint8Array(2 ** 20 + 1));
    await expect(findRelease([openReleaseFeed(endless, feed)], verify)).rejects.toThrow(
      refused('RELEASE_BROKEN'),
    );
  });
});
