import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileKeyStore } from '#host/file-key-store.ts';
import { TransportError } from '#host/pinned-transport.ts';
import { type EngineInfo, initialiseSite, type SitePorts, type Transport } from '#site/site.ts';
import { checkConsortium } from './consortium-checks.ts';
import { examineSite } from './doctor.ts';
import { checkEngine, describeEngine } from './engine-checks.ts';
import { checkMachine, type Machine } from './machine-checks.ts';

const nowMs = Date.parse('2026-11-28T12:00:00Z');
const native: EngineInfo = {
  name: 'tensorflow',
  version: '2.21.0',
  device: 'CPU',
  reason: 'native TensorFlow is set up',
  passedOver: [{ engine: 'cuda', why: 'there is no NVIDIA GPU with a driver' }],
};

describe('the engine', () => {
  it('is named with its device and why it is not a better one', async () => {
    const [, engine] = await checkEngine({ engine: async () => native });
    expect(engine).toMatchObject({ check: 'engine', state: 'ok', code: null });
    expect(engine?.message).toBe(
      'tensorflow 2.21.0 on CPU (not better: cuda: there is no NVIDIA GPU with a driver).',
    );
  });

  it('is a notice where WebAssembly computes, and a problem where none starts', async () => {
    const slow = describeEngine({ ...native, name: 'wasm' });
    expect(slow.map(({ state, code }) => [state, code])).toEqual([
      ['notice', 'TENSORFLOW_NOT_SET_UP'],
      ['notice', 'ENGINE_SLOW'],
    ]);
    const broken = await checkEngine({ engine: () => Promise.reject(new Error('a path')) });
    expect(broken).toMatchObject([{ state: 'problem', code: 'ENGINE_BROKEN' }]);
  });
});

describe('the machine', () => {
  const GiB = 2 ** 30;
  const well: Machine = {
    diskFree: 50 * GiB,
    memoryFree: 4 * GiB,
    memoryTotal: 8 * GiB,
    isOnBattery: null,
    hottest: 60,
  };
  it.each([
    ['is well', {}, []],
    ['has little memory', { memoryFree: GiB / 2 }, ['notice MEMORY_LOW']],
    ['has little room', { diskFree: 5 * GiB }, ['notice DISK_ALMOST_FULL']],
    ['has no room', { diskFree: GiB / 2 }, ['problem DISK_ALMOST_FULL']],
    ['runs on its battery', { isOnBattery: true }, ['notice ON_BATTERY']],
    ['is hot', { isOnBattery: true, hottest: 95 }, ['notice MACHINE_HOT']],
  ])('that %s', (_, change, expected) => {
    const troubles = checkMachine({ ...well, ...change }).filter(({ state }) => state !== 'ok');
    expect(troubles.map(({ state, code }) => `${state} ${code}`)).toEqual(expected);
    for (const { nextStep } of troubles) expect(nextStep).not.toBe(null);
  });
});

describe('the way to the consortium', () => {
  const consortium = { name: 'Hearts', url: 'https://hearts.example', certificateDigest: 'ab'.repeat(32) };
  const ask = (send: Transport['send']) =>
    checkConsortium({ consortium, transport: { send }, nowMs: () => nowMs });
  const answer = (date: string) => async () => ({ status: 404, headers: { date }, body: new Uint8Array() });

  it.each([
    ['Sat, 28 Nov 2026 12:00:30 GMT', 'ok', null],
    ['Sat, 28 Nov 2026 12:02:00 GMT', 'problem', 'CLOCK_WRONG'],
    ['Sat, 28 Nov 2026 11:58:00 GMT', 'problem', 'CLOCK_WRONG'],
    ['no date', 'notice', 'CLOCK_UNCHECKED'],
  ])('is there, and its clock says %s', async (date, state, code) => {
    const [reached, clock] = await ask(answer(date));
    expect(reached).toMatchObject({ check: 'consortium', state: 'ok' });
    expect(clock).toMatchObject({ check: 'clock', state, code });
  });

  it.each(['CERTIFICATE_MISMATCH', 'CONNECTION_FAILED', 'TIMED_OUT'] as const)(
    'is a problem by its cause: %s',
    async (code) => {
      const asked: string[] = [];
      const [failed] = await ask(async (request) => {
        asked.push(request.certificateDigest);
        throw new TransportError(code, 'a test');
      });
      expect(failed).toMatchObject({ state: 'problem', code, nextStep: expect.stringMatching(/\w{5}/) });
      expect(asked).toEqual([consortium.certificateDigest]);
    },
  );
});

describe('the doctor', () => {
  let folder: string;
  let ports: SitePorts;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'consilium-doctor-'));
    const profile = mkdtempSync(join(folder, 'profile-'));
    const transport = { send: () => Promise.reject(new Error('nothing is asked before enrolment')) };
    const clock = { nowMs: () => nowMs };
    const keyStore = createFileKeyStore({ file: join(folder, 'keys.json'), profile });
    const trainingHost = { engine: async () => native } as unknown as SitePorts['trainingHost'];
    const logger = {} as SitePorts['logger'];
    ports = { paths: { profile }, keyStore, clock, transport, trainingHost, logger };
    await initialiseSite(ports, { name: 'A hospital' });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const examine = (isAnswering = false) =>
    examineSite({ ports, openKeyStore: () => ports.keyStore, isAnswering: async () => isAnswering });
  const troubles = async () => {
    const { ok, findings } = await examine();
    return { ok, codes: findings.flatMap(({ state, code }) => (state === 'problem' ? [code] : [])) };
  };

  it('finds a new site sound, and says that it has not joined', async () => {
    const { ok, findings } = await examine();
    expect(ok).toBe(true);
    const checks = [
      'profile',
      'keys',
      'store',
      'tensorflow',
      'engine',
      'memory',
      'disk',
      'power',
      'consortium',
      'clock',
    ];
    expect(findings.map(({ check }) => check)).toEqual(checks);
    expect(findings.find(({ check }) => check === 'consortium')?.code).toBe('SITE_NOT_ENROLLED');
  });

  it('names a key file that others may read', async () => {
    chmodSync(join(folder, 'keys.json'), 0o644);
    expect(await troubles()).toEqual({ ok: false, codes: ['KEY_FILE_MODE'] });
  });

  it('names a key file that is gone, and one that is broken', async () => {
    const file = join(folder, 'keys.json');
    rmSync(file);
    expect((await troubles()).codes).toEqual(['PROFILE_WITHOUT_KEYS']);
    writeFileSync(file, '{}', { mode: 0o600 });
    expect((await troubles()).codes).toEqual(['KEY_FILE_BROKEN']);
  });

  it('names a store that is damaged, and a profile that is not there', async () => {
    writeFileSync(join(ports.paths.profile, 'site.db'), 'no store '.repeat(1000));
    expect((await troubles()).codes).toEqual(['DATABASE_UNREADABLE']);
    rmSync(ports.paths.profile, { recursive: true });
    expect((await troubles()).codes).toEqual(['PROFILE_MISSING']);
  });
});
