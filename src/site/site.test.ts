import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BugError } from '#base/coded-error.ts';
import { silentLogger } from '#base/logger.ts';
import * as schema from '#ipc/schema.ts';
import type { SiteKeys } from '#site/ports.ts';
import { createCountingHost } from '#support/round-site.ts';
import { createMovingClock, type MovingClock } from '#support/site-foundation.ts';
import { initialiseSite, openSite, type SitePorts, systemActor } from './site.ts';
import { software } from './software.ts';

let folder: string;
let kept: SiteKeys | undefined;
let clock: MovingClock;
let ports: SitePorts;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-site-'));
  kept = undefined;
  clock = createMovingClock();
  ports = {
    paths: { profile: folder },
    keyStore: {
      load: () => kept,
      save: (keys) => {
        kept = keys;
      },
    },
    clock,
    transport: { send: () => Promise.reject(new BugError('no network in this test')) },
    trainingHost: createCountingHost(),
    logger: silentLogger,
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a profile', () => {
  it('is not opened before it is initialised, and initialised once', async () => {
    await expect(openSite(ports)).rejects.toMatchObject({ code: 'NOT_INITIALISED' });
    await initialiseSite(ports, { name: 'Alpha Hospital' });
    await expect(initialiseSite(ports, { name: 'Other' })).rejects.toMatchObject({
      code: 'ALREADY_INITIALISED',
    });
    const site = await openSite(ports);
    expect(site.status()).toMatchObject({ name: 'Alpha Hospital', siteId: null, subjectCount: 0 });
    await site.close();
  });

  it('is not opened twice, and again after it was closed', async () => {
    await initialiseSite(ports, { name: 'Alpha' });
    const site = await openSite(ports);
    await expect(openSite(ports)).rejects.toMatchObject({ code: 'PROFILE_IN_USE' });
    await expect(initialiseSite(ports, { name: 'Beta' })).rejects.toMatchObject({ code: 'PROFILE_IN_USE' });
    await site.close();
    await (await openSite(ports)).close();
  });

  it('whose key file is gone is neither opened nor given new keys', async () => {
    await initialiseSite(ports, { name: 'Alpha' });
    kept = undefined;
    await expect(openSite(ports)).rejects.toMatchObject({ code: 'PROFILE_WITHOUT_KEYS' });
    await expect(initialiseSite(ports, { name: 'Alpha' })).rejects.toMatchObject({
      code: 'PROFILE_WITHOUT_KEYS',
    });
    expect(kept).toBeUndefined();
  });

  it('whose initialisation was cut off after the keys is initialised with the same keys', async () => {
    await initialiseSite(ports, { name: 'Alpha' });
    const keys = kept;
    for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
    await expect(openSite(ports)).rejects.toMatchObject({ code: 'NOT_INITIALISED' });
    await initialiseSite(ports, { name: 'Alpha' });
    expect(kept).toBe(keys);
    await (await openSite(ports)).close();
  });

  it('holds nothing that can be read without its key', async () => {
    await initialiseSite(ports, { name: 'A planted hospital name' });
    const site = await openSite(ports);
    for (const name of readdirSync(folder)) {
      expect(readFileSync(path.join(folder, name)).includes('planted'), name).toBe(false);
    }
    await site.close();
    expect(existsSync(path.join(folder, 'site.db'))).toBe(true);
  });
});

describe('the facade', () => {
  it('answers in the shapes of the site contract', { timeout: 20_000 }, async () => {
    await initialiseSite(ports, { name: 'Alpha' });
    const site = await openSite(ports);
    const ada = site.people.add({ name: 'Ada', role: 'steward' }, 'a long secret', systemActor);
    expect(schema.person.parse(site.session.signIn({ name: 'Ada', secret: 'a long secret' }))).toEqual(ada);
    schema.siteStatus.parse(site.status());
    const query = { researchStudyId: null, decision: null, search: '', offset: 0, limit: 10 };
    expect(schema.consentPage.parse(site.consent.list(query, ada)).total).toBe(0);
    expect(site.researchStudies()).toEqual([]);
    expect(site.updates.list()).toEqual([]);
    expect(site.evaluations('heart')).toEqual([]);
    expect(site.records()).toEqual([]);
    expect(schema.ingestOutcomes.parse(site.ingest.listOutcomes({ offset: 0, limit: 10 })).total).toBe(0);
    await expect(site.sync(ada)).rejects.toMatchObject({ code: 'NOT_ENROLLED' });
    site.session.recordRefusal(ada, { method: 'people.add', code: 'ROLE_NOT_ALLOWED' });
    site.session.signOut(ada);
    const page = schema.auditPage.parse(
      site.audit.list({ search: '', action: null, offset: 0, limit: 50 }, ada),
    );
    expect(page.actions).toEqual(
      expect.arrayContaining([
        'site-initialised',
        'app-started',
        'signed-in',
        'signed-out',
        'action-refused',
      ]),
    );
    expect(site.audit.verify(ada)).toMatchObject({ verified: true, problem: null });
    await site.close();
    const again = await openSite(ports);
    const { actions } = again.audit.list({ search: '', action: null, offset: 0, limit: 1 }, ada);
    expect(actions).toContain('app-stopped');
    await again.close();
  });

  it('imports files from their paths with events of the contract’s shape', async () => {
    await initialiseSite(ports, { name: 'Alpha' });
    const site = await openSite(ports);
    const file = path.join(folder, 'notes.txt');
    writeFileSync(file, 'not a record');
    const events: string[] = [];
    const request = {
      paths: [file],
      mapping: null,
      actor: systemActor,
      signal: new AbortController().signal,
    };
    for await (const event of site.ingest.ingestPaths(request))
      events.push(schema.ingestEvent.parse(event).kind);
    expect(events.at(-1)).toBe('summary');
    await site.close();
  });
});

describe('the software’s name and version', () => {
  it('are those of package.json', () => {
    const found = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      name: string;
      version: string;
    };
    expect({ name: found.name, version: found.version }).toEqual(software);
  });
});
