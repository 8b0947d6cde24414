import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuditForwarding, openAuditForwarding } from '#site/audit/index.ts';
import { readAuditMessage } from '#support/audit-message-schema.ts';
import {
  type FhirRepository,
  openFhirRepository,
  openSyslogReceiver,
  type SyslogReceiver,
} from '#support/audit-repository.ts';
import { freePort } from '#support/free-port.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';
import { makeTestCertificates, type TestCertificates } from '#support/test-certificates.ts';

const admin = { name: 'Ada Admin', role: 'admin' } as const;
let certificates: TestCertificates;
let site: SiteFoundation;
let forwarding: AuditForwarding;
let opened: { close(): Promise<void> }[];

beforeAll(async () => {
  certificates = await makeTestCertificates();
});
beforeEach(() => {
  site = createSiteFoundation('forwarding');
  forwarding = openAuditForwarding(site);
  opened = [];
});
afterEach(async () => {
  await forwarding.close();
  for (const one of opened) await one.close();
  site.close();
});

function add(count: number): void {
  site.store.transaction(() => {
    for (let index = 0; index < count; index += 1)
      site.auditLog.append({ ...admin, actor: admin.name, action: 'file-imported', outcome: 'success' });
  });
}

const logSize = (): number => Number(site.store.prepareColumn('SELECT count(*) FROM audit_leaf').get());
const unavailable = expect.objectContaining({ code: 'REPOSITORY_UNAVAILABLE' });
const refused = expect.objectContaining({ code: 'REPOSITORY_REFUSED' });

const none = { authority: null, certificate: null, key: null };
const toFhir = (repository: Pick<FhirRepository, 'url'>, changes = {}) => ({
  kind: 'fhir',
  url: repository.url,
  token: null,
  ...none,
  authority: certificates.authority,
  ...changes,
});
const toSyslog = (receiver: Pick<SyslogReceiver, 'port'>, changes = {}) => ({
  kind: 'syslog',
  host: '127.0.0.1',
  port: receiver.port,
  ...none,
  authority: certificates.authority,
  ...changes,
});

async function openFhir(port = 0): Promise<FhirRepository> {
  const repository = await openFhirRepository(certificates, port);
  opened.push(repository);
  return repository;
}

async function openSyslog(options = {}): Promise<SyslogReceiver> {
  const receiver = await openSyslogReceiver(certificates, options);
  opened.push(receiver);
  return receiver;
}

/** Places of the log that a repository holds, in the order of their coming. */
const seqsOf = (repository: FhirRepository): number[] =>
  [...repository.events.keys()].map((code) => Number(code.split('-')[1]));
const wholeLog = (): number[] => Array.from({ length: logSize() }, (_, seq) => seq);

describe('forwarding to a FHIR server', () => {
  it('brings every entry once and in order, and goes on where it stopped after a restart', async () => {
    const repository = await openFhir();
    add(250);
    forwarding.set(toFhir(repository, { token: 'secret-token' }), admin);
    expect(await forwarding.forward()).toMatchObject({ acknowledged: 251, waiting: 0, lastCode: null });
    expect(repository.authorizations[0]).toBe('Bearer secret-token');
    expect(repository.requestCount).toBe(3);
    add(5);
    expect(forwarding.status()).toMatchObject({ kind: 'fhir', acknowledged: 251, waiting: 5 });
    await forwarding.close();
    forwarding = openAuditForwarding(site);
    await forwarding.forward();
    expect(repository.requestCount).toBe(4);
    expect(seqsOf(repository)).toEqual(wholeLog());
  });

  it('waits while the server is down, says so once in the log, and loses and doubles nothing', async () => {
    const port = await freePort();
    add(30);
    forwarding.set(toFhir({ url: `https://127.0.0.1:${port}/fhir` }), admin);
    for (let tries = 0; tries < 3; tries += 1)
      await expect(forwarding.forward()).rejects.toThrow(unavailable);
    add(10);
    expect(forwarding.status()).toMatchObject({ acknowledged: 0, lastCode: 'REPOSITORY_UNAVAILABLE' });
    expect(site.events().filter((event) => event.startsWith('audit-forwarding-failed'))).toEqual([
      'audit-forwarding-failed failed REPOSITORY_UNAVAILABLE',
    ]);
    const repository = await openFhir(port);
    expect(await forwarding.forward()).toMatchObject({ waiting: 0, lastCode: null });
    expect(seqsOf(repository)).toEqual(wholeLog());
  });

  it('leaves nothing twice where the answer to a batch that was stored is lost', async () => {
    const repository = await openFhir();
    add(150);
    forwarding.set(toFhir(repository), admin);
    repository.fault = (response, isStored) => {
      if (isStored) response.destroy();
      return isStored;
    };
    await expect(forwarding.forward()).rejects.toThrow(unavailable);
    expect([repository.events.size, forwarding.status().acknowledged]).toEqual([100, 0]);
    repository.fault = () => false;
    await forwarding.forward();
    expect(seqsOf(repository)).toEqual(wholeLog());
  });

  it('goes on behind the last entry that was taken, and stops before one that is refused', async () => {
    const repository = await openFhir();
    add(20);
    forwarding.set(toFhir(repository), admin);
    repository.refuse = (code) => (code.endsWith('-7') ? '422 Unprocessable' : undefined);
    await expect(forwarding.forward()).rejects.toThrow(refused);
    expect(forwarding.status()).toMatchObject({ acknowledged: 7, lastCode: 'REPOSITORY_REFUSED' });
    repository.refuse = () => undefined;
    await forwarding.forward();
    expect(seqsOf(repository).toSorted((left, right) => left - right)).toEqual(wholeLog());
  });

  it.each<[string, (response: Parameters<FhirRepository['fault']>[0]) => void]>([
    ['asks for a token', (response) => void response.writeHead(401).end()],
    ['is out of order', (response) => void response.writeHead(500).end('down')],
    [
      'sends elsewhere',
      (response) => void response.writeHead(307, { location: 'https://example.org' }).end(),
    ],
    ['answers with a page', (response) => void response.end('<html></html>')],
    ['answers for another batch', (response) => void response.end('{"resourceType":"Bundle","entry":[]}')],
    ['answers without end', (response) => void response.end('x'.repeat(11_000_000))],
  ])('acknowledges nothing while the server %s', async (_what, answer) => {
    const repository = await openFhir();
    add(3);
    forwarding.set(toFhir(repository), admin);
    repository.fault = (response) => {
      answer(response);
      return true;
    };
    await expect(forwarding.forward()).rejects.toThrow(refused);
    expect(forwarding.status().acknowledged).toBe(0);
  });

  it('sends nothing to a server whose certificate another authority signed', async () => {
    const repository = await openFhir();
    forwarding.set(toFhir(repository, { authority: certificates.stranger.cert }), admin);
    await expect(forwarding.forward()).rejects.toThrow(unavailable);
    expect(repository.requestCount).toBe(0);
  });

  it('begins anew for another receiver, and not for the same one with a new token', async () => {
    const [first, second] = [await openFhir(), await openFhir()];
    add(5);
    forwarding.set(toFhir(first), admin);
    await forwarding.forward();
    expect(forwarding.set(toFhir(first, { token: 'new' }), admin)).toMatchObject({
      acknowledged: 6,
      waiting: 1,
    });
    expect(forwarding.set(toFhir(second), admin)).toMatchObject({ acknowledged: 0 });
    await forwarding.forward();
    expect(seqsOf(second)).toEqual(wholeLog());
  });
});

describe('forwarding by syslog over TLS', () => {
  const seqs = (receiver: SyslogReceiver) =>
    receiver.messages.map((message) => Number(/sequenceId="(\d+)"/.exec(message)?.[1]) - 1);

  it('brings every entry once and in order, each as RFC 5424 with a message valid by PS3.15', async () => {
    const receiver = await openSyslog({ asksForCertificate: true });
    add(1500);
    const { cert: certificate, key } = certificates.client;
    forwarding.set(toSyslog(receiver, { certificate, key }), admin);
    expect(await forwarding.forward()).toMatchObject({ acknowledged: 1501, waiting: 0 });
    expect(seqs(receiver)).toEqual(wholeLog());
    const format =
      /^<(8[45])>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S{1,255} consilium 1 IHE\+RFC-3881 \[meta sequenceId="\d+"\] \ufeff(<AuditMessage>.*<\/AuditMessage>)$/u;
    for (const message of receiver.messages) readAuditMessage(format.exec(message)?.[2] ?? 'no message');
  });

  it('waits while the receiver is down, and loses and doubles nothing', async () => {
    const port = await freePort();
    add(30);
    forwarding.set(toSyslog({ port }), admin);
    for (let tries = 0; tries < 2; tries += 1)
      await expect(forwarding.forward()).rejects.toThrow(unavailable);
    add(10);
    const receiver = await openSyslog({ port });
    await forwarding.forward();
    expect(seqs(receiver)).toEqual(wholeLog());
  });

  it('sends a batch again of which a receiver that broke down took a part: each bears its number', async () => {
    const receiver = await openSyslog();
    add(500);
    forwarding.set(toSyslog(receiver), admin);
    receiver.dropAfter = 200_000;
    await expect(forwarding.forward()).rejects.toThrow(unavailable);
    expect(forwarding.status().acknowledged).toBe(0);
    const taken = receiver.messages.length;
    expect(taken).toBeGreaterThan(0);
    receiver.dropAfter = null;
    await forwarding.forward();
    expect([...new Set(seqs(receiver))]).toEqual(wholeLog());
    expect(receiver.messages).toHaveLength(taken + logSize());
  });

  it('is not for a receiver whose certificate another authority signed, nor for one that asks for ours', async () => {
    const receiver = await openSyslog();
    forwarding.set(toSyslog(receiver, { authority: certificates.stranger.cert }), admin);
    await expect(forwarding.forward()).rejects.toThrow(unavailable);
    const asking = await openSyslog({ asksForCertificate: true });
    forwarding.set(toSyslog(asking), admin);
    await expect(forwarding.forward()).rejects.toThrow(unavailable);
    expect([...receiver.messages, ...asking.messages]).toEqual([]);
  });
});

describe('the setting', () => {
  it('is an event with the receiver and without what is secret, also when it ends', () => {
    forwarding.set(toFhir({ url: 'https://arr.example/fhir' }, { token: 'secret-token' }), admin);
    expect(forwarding.set(null, admin)).toEqual({
      kind: null,
      receiver: null,
      acknowledged: 0,
      waiting: 0,
      lastCode: null,
    });
    const { entries } = site.auditLog.list({
      search: '',
      action: 'audit-forwarding-changed',
      offset: 0,
      limit: 9,
    });
    expect(entries.map(({ actor, detail }) => [actor, detail])).toEqual([
      ['Ada Admin', '{"kind":null}'],
      ['Ada Admin', '{"kind":"fhir","receiver":"https://arr.example/fhir"}'],
    ]);
  });

  it('is needed to forward', async () => {
    await expect(forwarding.forward()).rejects.toThrow(
      expect.objectContaining({ code: 'FORWARDING_NOT_SET' }),
    );
  });

  it.each<[string, object]>([
    ['url', { kind: 'fhir', url: 'http://arr.example/fhir', token: null, ...none }],
    ['url', { kind: 'fhir', url: 'arr.example', token: null, ...none }],
    ['url', { kind: 'fhir', url: 'https://name:password@arr.example', token: null, ...none }],
    ['token', { kind: 'fhir', url: 'https://arr.example', token: 'a\r\nb', ...none }],
    ['host', { kind: 'syslog', host: 'a b', port: 6514, ...none }],
    ['port', { kind: 'syslog', host: 'arr.example', port: 0, ...none }],
    [
      'key',
      {
        kind: 'syslog',
        host: 'arr.example',
        port: 6514,
        ...none,
        certificate: '-----BEGIN CERTIFICATE-----',
      },
    ],
    ['kind', { kind: 'udp', host: 'arr.example', port: 514 }],
  ])('is refused for its %s: %j', (setting, settings) => {
    expect(() => forwarding.set(settings, admin)).toThrow(
      expect.objectContaining({ code: 'BAD_FORWARDING_SETTINGS', details: { setting } }),
    );
    expect(site.events()).toEqual([]);
  });
});
