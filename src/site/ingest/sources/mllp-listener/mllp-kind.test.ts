import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '#support/free-port.ts';
import { openMllpSender } from '#support/mllp-sender.ts';
import { openSourcesWorld, type SourcesWorld } from '#support/sources-world.ts';
import { makeTestCertificates } from '#support/test-certificates.ts';

const admin = { name: 'Ada Admin', role: 'admin' } as const;
const message = (id: string, value = '141'): string =>
  [
    `MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304101500||ORU^R01|${id}|P|2.5.1`,
    'PID|1||77^^^WARD&1.2.3.4&ISO^MR||Byron^Ada||19500501|F',
    'OBR|1|P1|F1|24321-2^BMP^LN|||20200304101500',
    `OBX|1|NM|2951-2^Sodium^LN||${value}|mmol/L|||||F`,
    '',
  ].join('\r');

let world: SourcesWorld;
beforeEach(() => {
  world = openSourcesWorld();
});
afterEach(() => world.close());

describe('an HL7 v2 listener as a source', () => {
  it('imports what it acknowledged, counts it, and tells the audit log no value', async () => {
    const port = await freePort();
    await world.sources.save({ kind: 'mllp', label: 'lab', settings: { port } }, admin);
    await world.sources.listen();
    const sender = await openMllpSender(port);
    expect((await sender.send(message('m1')))?.[1]).toBe('MSA|AA|m1');
    expect((await sender.send(message('m1')))?.[1]).toBe('MSA|AA|m1');
    expect((await sender.send(message('m2').replace('|P|2', '|T|2')))?.[1]).toContain('MSA|AR|m2');
    sender.close();
    await world.until(() => world.outcomeNames().length === 1);
    await world.sources.close();
    expect(world.sources.list()).toMatchObject([{ kind: 'mllp', received: 1 }]);
    const facts = world.site.store.prepare('SELECT code, value_number FROM subject_fact').all();
    expect(facts).toEqual([{ code: '2951-2', value_number: 141 }]);
    const told = world.events().filter(({ action }) => action.startsWith('messages-'));
    expect(told.map(({ action, detail }) => [action, detail])).toEqual([
      ['messages-received', { received: 1, repeated: 1 }],
      ['messages-refused', { refusedBy: { UNSUPPORTED_PROCESSING_ID: 1 } }],
    ]);
  });

  it('takes messages over TLS from callers with a certificate of the named authority alone', async () => {
    const port = await freePort();
    const { authority, server, client, stranger } = await makeTestCertificates();
    const settings = { port, tlsCertificate: server.cert, tlsKey: server.key, tlsCallerAuthority: authority };
    await world.sources.save({ kind: 'mllp', label: 'lab', settings }, admin);
    await world.sources.listen();
    const send = async (tls?: object): Promise<string | undefined> => {
      const sender = await openMllpSender(port, tls);
      const answer = await sender.send(message('m1'));
      sender.close();
      return answer?.[1];
    };
    expect(await send({ ca: authority, cert: client.cert, key: client.key })).toBe('MSA|AA|m1');
    expect(await send({ ca: authority, cert: stranger.cert, key: stranger.key })).toBeUndefined();
    expect(await send({ ca: authority })).toBeUndefined();
    expect(await send()).toBeUndefined();
    expect(JSON.stringify(world.sources.list())).not.toContain('PRIVATE KEY');
  });

  it.each([
    ['port', { port: 70_000 }],
    ['host', { host: 'engine.example' }],
    ['peers', { peers: '10.0.0.0/99' }],
    ['processingIds', { processingIds: 'production' }],
    ['tlsCertificate', { tlsKey: '-----BEGIN PRIVATE KEY-----' }],
    ['prot', { prot: 1 }],
  ])('refuses a bad %s by its name', async (setting, settings) => {
    const saved = world.sources.save({ kind: 'mllp', label: 'lab', settings }, admin);
    await expect(saved).rejects.toMatchObject({ code: 'BAD_SOURCE_SETTINGS', details: { setting } });
  });

  it('fails by name where the network could write and nobody is named', async () => {
    await world.sources.save({ kind: 'mllp', label: 'lab', settings: { host: '0.0.0.0', port: 0 } }, admin);
    await world.sources.listen();
    expect(world.sources.list()).toMatchObject([{ state: 'failed', code: 'MLLP_PEERS_REQUIRED' }]);
  });
});
