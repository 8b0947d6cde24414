import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Actor } from '#site/audit/index.ts';
import { openInbox } from '#site/ingest/sources/inbox.ts';
import {
  associateRequest,
  DicomCaller,
  dataPdu,
  releaseRequest,
  storeCommand,
} from '#support/dicom-caller.ts';
import { freePort } from '#support/free-port.ts';
import { siteKeys } from '#support/ingest-site.ts';
import { openSourcesWorld, type SourcesWorld } from '#support/sources-world.ts';
import { makeTestCertificates } from '#support/test-certificates.ts';

const admin: Actor = { name: 'Ada Admin', role: 'admin' };
const settings = { aeTitle: 'CONSILIUM', callingAeTitles: 'PACS, CT1', port: 0 };
const refused = (code: string, setting?: string) =>
  expect.objectContaining({
    code,
    ...(setting === undefined ? {} : { details: expect.objectContaining({ setting }) }),
  });

let world: SourcesWorld;
beforeEach(() => {
  world = openSourcesWorld();
});
afterEach(async () => {
  await world.close();
});

const save = (changed: Record<string, string | number | boolean> = {}, label = 'Radiology') =>
  world.sources.save({ kind: 'dicom-receiver', label, settings: { ...settings, ...changed } }, admin);

describe('a source', () => {
  it('is off until the site is served, and then listens', async () => {
    const { sourceId } = await save();
    expect(world.sources.list()).toMatchObject([{ sourceId, state: 'off', code: null, received: 0 }]);
    await world.sources.listen();
    expect(world.sources.list()).toMatchObject([{ sourceId, state: 'listening' }]);
    await world.sources.remove(sourceId, admin);
    expect(world.sources.list()).toEqual([]);
    expect(world.events().map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'source-saved success',
      'source-removed success',
    ]);
  });

  it('is changed, not doubled, by its kind and label', async () => {
    const first = await save();
    const second = await save({ aeTitle: 'OTHER' });
    expect(second.sourceId).toBe(first.sourceId);
    expect(world.sources.list()).toMatchObject([{ settings: { aeTitle: 'OTHER' } }]);
    await save({}, 'Cardiology');
    expect(world.sources.list()).toHaveLength(2);
  });

  it.each([
    ['aeTitle', { aeTitle: '' }],
    ['aeTitle', { aeTitle: 'SEVENTEEN-LETTERS' }],
    ['callingAeTitles', { callingAeTitles: ' , ' }],
    ['callingAeTitles', { callingAeTitles: 'A\\B' }],
    ['host', { host: 'pacs.example' }],
    ['port', { port: 70_000 }],
    ['port', { port: '11112x' }],
    ['peers', { peers: '10.0.0.0/99' }],
    ['peers', { peers: 'everybody' }],
    ['tlsCertificate', { tlsCertificate: 'x' }],
    [
      'tlsCertificate',
      { tlsCertificate: '-----BEGIN CERTIFICATE-----', tlsKey: '-----BEGIN PRIVATE KEY-----' },
    ],
    ['prot', { prot: 104 }],
  ])('is refused for its %s: %j', async (setting, changed) => {
    await expect(save(changed)).rejects.toThrow(refused('BAD_SOURCE_SETTINGS', setting));
    expect(world.sources.list()).toEqual([]);
  });

  it('that cannot listen says so and keeps nobody else from it', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen({ host: '127.0.0.1', port: 0 }, resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await save({ port }, 'Blocked');
    await save({}, 'Free');
    await world.sources.listen();
    expect(world.sources.list()).toMatchObject([
      { label: 'Blocked', state: 'failed', code: 'SOURCE_UNAVAILABLE' },
      { label: 'Free', state: 'listening', code: null },
    ]);
    await new Promise((resolve) => blocker.close(resolve));
    await save({ port }, 'Blocked');
    expect(world.sources.list()[0]).toMatchObject({ state: 'listening', code: null });
  });

  it.each([
    ['unknown', 'SOURCE_NOT_FOUND'],
    [undefined, 'SOURCE_NOT_RUNNABLE'],
  ])('that is %s cannot be run: %s', async (sourceId, code) => {
    const saved = await save();
    const run = world.sources.run(sourceId ?? saved.sourceId, admin, new AbortController().signal);
    await expect(run.next()).rejects.toThrow(refused(code));
  });

  it('outlives strangers who come while the audit log cannot be written, and tells of them later', async () => {
    const port = await freePort();
    await save({ port, peers: '10.0.0.0/8' });
    await world.sources.listen();
    const { store } = world.site;
    store
      .prepare(`CREATE TEMP TRIGGER full BEFORE INSERT ON audit_leaf BEGIN SELECT RAISE(ABORT, 'full'); END`)
      .run();
    for (let stranger = 0; stranger < 3; stranger += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      await new Promise((resolve) => socket.once('close', resolve));
    }
    store.prepare('DROP TRIGGER full').run();
    expect(world.sources.list()).toMatchObject([{ state: 'listening' }]);
    await world.sources.close();
    const detail = { counts: { PEER_NOT_ALLOWED: 3 } };
    expect(world.events()).toContainEqual(expect.objectContaining({ action: 'association-refused', detail }));
  });

  it('keeps its secret, shows it to nobody, and writes none of its settings where they can be read', async () => {
    const { server } = await makeTestCertificates();
    const kept = { ...settings, tlsCertificate: server.cert, tlsKey: server.key };
    const saved = await world.sources.save({ kind: 'dicom-receiver', label: 'TLS', settings: kept }, admin);
    expect(saved.settings).not.toHaveProperty('tlsKey');
    const { tlsKey: _, ...withoutKey } = kept;
    const again = await world.sources.save(
      { kind: 'dicom-receiver', label: 'TLS', settings: withoutKey },
      admin,
    );
    expect(again.sourceId).toBe(saved.sourceId);
    await world.sources.listen();
    expect(world.sources.list()[0]?.state).toBe('listening');
    const rows = world.site.store.all(world.site.store.query.selectFrom('source').selectAll());
    const readable = Buffer.concat(rows.map((row) => Buffer.from(row.sealed_settings))).toString('latin1');
    expect(readable.length).toBeGreaterThan(server.key.length);
    for (const secret of ['PRIVATE KEY', 'CT1', 'CONSILIUM']) expect(readable).not.toContain(secret);
  });
});

describe('what is sent to a source', () => {
  it('is imported, counted and audited, without a word of what a stranger said', async () => {
    const port = await freePort();
    await save({ port });
    await world.sources.listen();
    const stranger = await DicomCaller.connect(port);
    stranger.send(associateRequest({ callingAe: 'MUSTERMANN' }));
    await stranger.toEnd();
    const caller = await DicomCaller.connect(port);
    const object = (sopInstance: string) => [
      dataPdu(3, 3, storeCommand({ sopInstance })),
      dataPdu(3, 2, Buffer.from('not a data set')),
    ];
    caller.send(associateRequest(), ...object('1.2.3'), ...object('1.2.4'), releaseRequest);
    await caller.toEnd();
    await world.until(() => world.outcomeNames().length === 2);
    expect(world.outcomeNames().sort()).toEqual(['1.2.3.dcm', '1.2.4.dcm']);
    await world.sources.close();
    expect(world.sources.list()).toMatchObject([{ received: 2, lastReceivedAt: expect.any(String) }]);
    const events = world.events();
    expect(events.filter(({ action }) => action === 'association-ended')).toMatchObject([
      { outcome: 'success', detail: { callingAe: 'PACS', objectCount: 2, refusedCount: 0 } },
    ]);
    expect(events.filter(({ action }) => action === 'association-refused')).toMatchObject([
      { outcome: 'refused', detail: { counts: { CALLING_AE_UNKNOWN: 1 } } },
    ]);
    expect(JSON.stringify(events)).not.toContain('MUSTERMANN');
  });

  it('waits in the inbox while nothing imports, and is imported when the site is served again', async () => {
    await save();
    await world.leaveInInbox('dicom-receiver', 'Radiology', '1.2.9.dcm');
    expect(world.outcomeNames()).toEqual([]);
    await world.sources.listen();
    await world.until(() => world.outcomeNames().length === 1);
    expect(world.outcomeNames()).toEqual(['1.2.9.dcm']);
  });

  it('whose inbox was changed on the disk says so in the audit log', async () => {
    await save();
    const profile = path.join(world.site.folder, 'profile');
    const inbox = openInbox({ profile, linkageKey: siteKeys.linkageKey });
    for (const name of ['1.dcm', '2.dcm', '3.dcm']) {
      const header = { kind: 'dicom-receiver', label: 'Radiology', receivedAt: '', name };
      await inbox.append({ header, bytes: Buffer.from('not a data set') });
    }
    await inbox.close();
    const [segment = ''] = readdirSync(path.join(profile, 'inbox'));
    const file = path.join(profile, 'inbox', segment);
    const bytes = readFileSync(file);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await world.sources.listen();
    await world.until(() => world.events().some(({ action }) => action === 'inbox-damaged'));
    expect(world.events().find(({ action }) => action === 'inbox-damaged')).toMatchObject({
      outcome: 'failed',
      detail: { byteCount: expect.any(Number) },
    });
  });
});
