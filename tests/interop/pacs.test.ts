// I1 and I2 against real peers: dcmtk sends, Orthanc sends and is fetched from; ten transfer syntaxes, cut off midway and resumed, over
// TLS. What arrives is what was sent, byte by byte; a deflated data set is compared inflated, as its sender deflates anew.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { DataSet } from '#site/deidentify/index.ts';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import { parseDicomwebSettings } from '#site/ingest/sources/dicomweb/dicomweb-settings.ts';
import { WebConnection } from '#site/ingest/sources/dicomweb/web-connection.ts';
import { retrieveObjects } from '#site/ingest/sources/dicomweb/web-retrieve.ts';
import { openReceiverWorld, type ReceiverWorld } from '#support/dicom-receiver-world.ts';
import { freePort } from '#support/free-port.ts';
import { type Orthanc, orthancPassword, orthancUser, startOrthanc } from '#support/orthanc.ts';
import { dataSetBytes, makePacsObjects, type PacsObject, transferSyntaxOf } from '#support/pacs-objects.ts';
import { openSourcesWorld, type SourcesWorld } from '#support/sources-world.ts';
import { makeTestCertificates, type TestCertificates } from '#support/test-certificates.ts';
import { isInstalled, systemPackages } from '../../scripts/system-packages.ts';

const missing = systemPackages
  .filter((entry) => ['dcmtk', 'orthanc', 'orthanc-dicomweb'].includes(entry.name) && !isInstalled(entry))
  .map(({ name }) => name);
if (missing.length > 0)
  process.stderr.write(`C-STORE and DICOMweb with real peers not tested: ${missing.join(', ')} not there\n`);

const data = process.env.CONSILIUM_DATA;
const sampleFolder =
  data !== undefined && existsSync(path.join(data, 'dicom-samples'))
    ? path.join(data, 'dicom-samples')
    : null;
if (sampleFolder === null)
  process.stderr.write('public samples by C-STORE not tested: CONSILIUM_DATA is not set\n');

/** Those with readable pixels: of the broken ones some end Orthanc with a crash. */
function readSamples(folder: string): Buffer[] {
  return readFileSync(path.join(folder, 'catalog.csv'), 'utf8')
    .split('\n')
    .filter((line) => line.trim().endsWith('pixels ok') && !line.startsWith('broken-derived/'))
    .map((line) => readFileSync(path.join(folder, line.slice(0, line.indexOf(',')))))
    .filter((bytes) => bytes.toString('latin1', 128, 132) === 'DICM');
}

const trailingPadding = 0xfffcfffc;

/** Digest of every element with its value, at every depth, but for what dcmtk, which Orthanc sends with, writes anew: group lengths, padding. */
function elementsOf(file: Buffer): string {
  const lines: string[] = [];
  const visit = (dataSet: DataSet, depth: number): void => {
    for (const element of dataSet.elements) {
      if ((element.tag & 0xffff) === 0 || element.tag === trailingPadding) continue;
      const head = `${depth} ${element.tag.toString(16)}`;
      if ('items' in element) {
        lines.push(`${head} ${element.items.length}`);
        for (const item of element.items) visit(item, depth + 1);
      } else if ('fragments' in element)
        lines.push(...element.fragments.map((bytes) => `${head} ${sha256Hex(bytes)}`));
      else lines.push(`${head} ${sha256Hex(withoutPadding(element.bytes))}`);
    }
  };
  visit(parseDicom(file).dataSet, 0);
  return lines.join('\n');
}

function withoutPadding(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end -= 1;
  return bytes.subarray(0, end);
}

/** (0008,0018): what a sender calls the object, whatever the file's meta information says. */
function sopInstanceOf(file: Buffer): string {
  const element = parseDicom(file).dataSet.elements.find(({ tag }) => tag === 0x00080018);
  return element === undefined || !('bytes' in element)
    ? ''
    : Buffer.from(element.bytes).toString('latin1').replace(/\0+$/, '');
}

const run = promisify(execFile);
const steward = { name: 'Steward', role: 'steward' } as const;
const perSyntax = 50;
const environment = { ...process.env, TCP_NODELAY: '1' };

let folder: string;
let objects: PacsObject[];
let byUid: Map<string, PacsObject>;
let certificates: TestCertificates;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-pacs-'));
  objects = await makePacsObjects(perSyntax);
  byUid = new Map(objects.map((object) => [object.sopInstanceUid, object]));
  for (const { option, sopInstanceUid, bytes } of objects) {
    mkdirSync(path.join(folder, option), { recursive: true });
    writeFileSync(path.join(folder, option, `${sopInstanceUid}.dcm`), bytes);
  }
  certificates = await makeTestCertificates();
  for (const [name, { cert, key }] of Object.entries({
    client: certificates.client,
    stranger: certificates.stranger,
  })) {
    writeFileSync(path.join(folder, `${name}.crt`), cert);
    writeFileSync(path.join(folder, `${name}.key`), key);
  }
  writeFileSync(path.join(folder, 'authority.crt'), certificates.authority);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const options = () => [...new Set(objects.map(({ option }) => option))];

/** Sends the files of one syntax; gives how many the receiver acknowledged. */
async function storescu(port: number, option: string, ...more: readonly string[]): Promise<number> {
  const args = [
    '-v',
    option,
    '+sd',
    '-aec',
    'CONSILIUM',
    ...more,
    '127.0.0.1',
    String(port),
    path.join(folder, option),
  ];
  const { stdout, stderr } = await run('storescu', args, { env: environment, maxBuffer: 2 ** 26 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return (stdout + stderr).split('Received Store Response (Success)').length - 1;
}

function expectAllAsSent(files: ReadonlyMap<string, Buffer>): void {
  expect(files.size).toBe(objects.length);
  for (const { sopInstanceUid, bytes } of objects) {
    const received = files.get(`${sopInstanceUid}.dcm`) ?? Buffer.alloc(200);
    expect(transferSyntaxOf(received), sopInstanceUid).toBe(transferSyntaxOf(bytes));
    // `equals`: a difference of kilobytes is not printed.
    expect(dataSetBytes(received).equals(dataSetBytes(bytes)), `${sopInstanceUid} as sent`).toBe(true);
  }
}

describe.skipIf(missing.length > 0)('dcmtk', () => {
  let world: ReceiverWorld;
  afterEach(async () => {
    await world.close();
  });

  it('is answered an echo, and rejected where it names another application or itself wrongly', async () => {
    world = await openReceiverWorld();
    const echo = (...args: string[]) => run('echoscu', [...args, '127.0.0.1', String(world.receiver.port)]);
    await echo('-aec', 'CONSILIUM');
    await expect(echo('-aec', 'OTHER')).rejects.toThrow('Called AE Title Not Recognized');
    await expect(echo('-aec', 'CONSILIUM', '-aet', 'OTHER')).rejects.toThrow(
      'Calling AE Title Not Recognized',
    );
    await expect(
      run('findscu', [
        '-aec',
        'CONSILIUM',
        '-aet',
        'PACS',
        '-S',
        '-k',
        '0008,0052=STUDY',
        '127.0.0.1',
        String(world.receiver.port),
      ]),
    ).rejects.toThrow('No Acceptable Presentation Contexts');
  });

  it('stores 500 objects in ten transfer syntaxes, and each arrives as it was sent', async () => {
    world = await openReceiverWorld();
    for (const option of options()) expect(await storescu(world.receiver.port, option)).toBe(perSyntax);
    expectAllAsSent(await world.takeFiles());
  });

  it('stores over TLS with a certificate of the named authority, and not without', async () => {
    const { server, authority } = certificates;
    const tls = { certificate: server.cert, key: server.key, callerAuthority: authority };
    world = await openReceiverWorld({ settings: { tls } });
    const { port } = world.receiver;
    const file = (name: string) => path.join(folder, name);
    const withTls = (name: string) => [
      '+tls',
      file(`${name}.key`),
      file(`${name}.crt`),
      '+cf',
      file('authority.crt'),
    ];
    expect(await storescu(port, '-xe', ...withTls('client'))).toBe(perSyntax);
    expect((await world.takeFiles()).size).toBe(perSyntax);
    expect(await storescu(port, '-xe', ...withTls('stranger'))).toBe(0);
    expect(await storescu(port, '-xe')).toBe(0);
    expect((await world.takeFiles()).size).toBe(0);
    expect(world.reports.filter(({ refusal }) => refusal === 'TLS_REFUSED').length).toBeGreaterThan(0);
  });
});

describe.skipIf(missing.length > 0)('a receiver that is killed while dcmtk sends', () => {
  let world: SourcesWorld;
  const processes: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of processes) child.kill('SIGKILL');
    await world.close();
  });

  async function startReceiver(profile: string, port: number): Promise<ChildProcess> {
    const entry = fileURLToPath(new URL('../support/dicom-receiver-process.ts', import.meta.url));
    const child = spawn(process.execPath, [entry, profile, String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child;
  }

  it('has all that it acknowledged; what is sent again is there once', async () => {
    world = openSourcesWorld();
    const profile = path.join(world.site.folder, 'profile');
    const port = await freePort();
    const first = await startReceiver(profile, port);
    let acknowledged = 0;
    for (const [index, option] of options().entries()) {
      if (index === 4) setTimeout(() => first.kill('SIGKILL'), 60);
      acknowledged += await storescu(port, option);
      if (index === 4) break;
    }
    expect(acknowledged).toBeGreaterThanOrEqual(200);
    expect(acknowledged).toBeLessThan(500);
    await world.sources.listen();
    await world.until(() => world.outcomeNames().length >= acknowledged);
    await world.sources.close();
    const count = (outcome: string) =>
      world.site.ingest
        .listOutcomes({ offset: 0, limit: 10_000 })
        .outcomes.filter((entry) => entry.outcome === outcome).length;
    const held = world.site.store.all(
      world.site.store.query.selectFrom('sop_instance').select('sop_instance_uid'),
    ).length;
    expect(held).toBe(count('accepted'));
    expect(held).toBeGreaterThanOrEqual(acknowledged);

    const second = await startReceiver(profile, port);
    for (const option of options()) expect(await storescu(port, option)).toBe(perSyntax);
    second.kill('SIGKILL');
    await world.reopen().listen();
    await world.until(() => world.outcomeNames().length >= held + 500);
    await world.sources.close();
    const rows = world.site.store.all(
      world.site.store.query.selectFrom('sop_instance').select('sop_instance_uid'),
    );
    expect(new Set(rows.map((row) => row.sop_instance_uid)).size).toBe(500);
    expect([count('accepted'), count('rejected'), count('quarantined')]).toEqual([500, 0, 0]);
    expect(count('duplicate')).toBe(held);
  });
});

describe.skipIf(missing.length > 0)('Orthanc', () => {
  let receiver: ReceiverWorld;
  let orthanc: Orthanc;
  let ids: string[];
  let world: SourcesWorld;

  beforeAll(async () => {
    receiver = await openReceiverWorld();
    orthanc = await startOrthanc(certificates, { aeTitle: 'CONSILIUM', port: receiver.receiver.port });
    ids = [];
    for (const { bytes } of objects) {
      const stored = (await orthanc.call('POST', '/instances', bytes)) as { ID: string };
      ids.push(stored.ID);
    }
  });
  afterAll(async () => {
    await orthanc?.close();
    await receiver?.close();
  });
  afterEach(async () => {
    await world?.close();
  });

  it('sends 500 objects in ten transfer syntaxes by C-STORE, and each arrives as it was sent', async () => {
    await orthanc.call(
      'POST',
      '/modalities/consilium/store',
      JSON.stringify({ Resources: ids, Synchronous: true }),
    );
    expectAllAsSent(await receiver.takeFiles());
  });

  const settings = () => ({
    url: orthanc.webUrl,
    user: orthancUser,
    password: orthancPassword,
    authority: certificates.authority,
    pageSize: 30,
  });

  it('gives by DICOMweb what it keeps, as it keeps it', async () => {
    const connection = new WebConnection(parseDicomwebSettings(settings()), new AbortController().signal);
    const files = new Map<string, Buffer>();
    for (const study of new Set(objects.map(({ sopInstanceUid }) => sopInstanceUid.replace(/\.\d+$/, '')))) {
      for await (const { sopInstanceUid, bytes } of retrieveObjects(
        connection,
        `/studies/${study}`,
        2 ** 20,
      )) {
        const chunks: Buffer[] = [];
        for await (const chunk of bytes) chunks.push(chunk);
        files.set(`${sopInstanceUid}.dcm`, Buffer.concat(chunks));
      }
    }
    await connection.close();
    expectAllAsSent(files);
  });

  it('is fetched from over TLS with a password; a run that is cut off goes on, and nothing is fetched twice', async () => {
    world = openSourcesWorld();
    const save = (changed: Record<string, string> = {}) =>
      world.sources.save(
        { kind: 'dicomweb', label: 'Orthanc', settings: { ...settings(), ...changed } },
        steward,
      );
    const { sourceId } = await save();
    const stop = new AbortController();
    let told = 0;
    for await (const event of world.sources.run(sourceId, steward, stop.signal)) {
      if (event.kind === 'file') told += 1;
      if (told >= 120) stop.abort();
    }
    const before = world.outcomeNames().length;
    expect(before).toBeGreaterThanOrEqual(120);
    expect(before).toBeLessThan(500);
    for await (const _ of world.reopen().run(sourceId, steward, new AbortController().signal));
    const { outcomes } = world.site.ingest.listOutcomes({ offset: 0, limit: 1_000 });
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 500 }, () => 'accepted'));
    expect(new Set(outcomes.map(({ name }) => name.replace(/\.dcm$/, '')))).toEqual(new Set(byUid.keys()));
  });

  it.each([
    ['another password', () => ({ password: 'wrong' }), 'DICOMWEB_NOT_ALLOWED'],
    ['another authority', () => ({ authority: certificates.stranger.cert }), 'DICOMWEB_TLS_REFUSED'],
  ])('is not fetched from with %s', async (_, changed, code) => {
    world = openSourcesWorld();
    const whole = { ...settings(), ...changed() };
    const { sourceId } = await world.sources.save(
      { kind: 'dicomweb', label: 'Orthanc', settings: whole },
      steward,
    );
    const running = world.sources.run(sourceId, steward, new AbortController().signal);
    await expect(running.next()).rejects.toThrow(expect.objectContaining({ code }));
    expect(world.outcomeNames()).toEqual([]);
  });

  // Last: the samples stay in Orthanc.
  it.skipIf(sampleFolder === null)(
    'sends and gives the public samples with every element as it has them',
    async () => {
      // By name: two samples of different patients share a UID.
      const kept = new Map<string, string[]>();
      const resources: string[] = [];
      for (const file of readSamples(sampleFolder ?? '')) {
        const stored = await orthanc.call('POST', '/instances', file).catch(() => null);
        if (stored === null) continue;
        const { ID } = stored as { ID: string };
        resources.push(ID);
        const bytes = await orthanc.file(`/instances/${ID}/file`);
        const name = `${sopInstanceOf(bytes)}.dcm`;
        kept.set(name, [...(kept.get(name) ?? []), elementsOf(bytes)]);
      }
      const job = { Resources: [...new Set(resources)], Synchronous: true, Permissive: true };
      await orthanc.call('POST', '/modalities/consilium/store', JSON.stringify(job));
      const sent = await receiver.takeFiles();
      const differing: string[] = [];
      for (const [name, bytes] of sent) {
        if (kept.get(name)?.includes(elementsOf(bytes)) !== true) differing.push(name);
      }
      expect(kept.size).toBeGreaterThan(50);
      expect(sent.size).toBe(kept.size);
      expect(differing).toEqual([]);
    },
  );
});
