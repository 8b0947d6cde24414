import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BugError } from '#base/coded-error.ts';
import { silentLogger } from '#base/logger.ts';
import type { SiteKeys } from '#site/ports.ts';
import { createCountingHost } from '#support/round-site.ts';
import { createMovingClock } from '#support/site-foundation.ts';
import { initialiseSite, openSite, type SitePorts } from './site.ts';
import { loadIdentifierAuthorities } from './site-identifier-authorities.ts';
import { openProfile } from './site-profile.ts';

const authority = 'https://hospital.example/patient-number';
const patient = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: authority, value: '77' }],
  birthDate: '1950-05-01',
};
const message = 'MSH|^~\\&|SYS|HOSP|S|S|20200101||ADT^A08|m1|P|2.5.1\rPID|1||77^^^WARD^MR||Byron^Ada\r';

let folder: string;
let ports: SitePorts;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-authorities-'));
  mkdirSync(path.join(folder, 'profile'), { mode: 0o700 });
  let kept: SiteKeys | undefined;
  ports = {
    paths: { profile: path.join(folder, 'profile') },
    keyStore: {
      load: () => kept,
      save: (keys) => {
        kept = keys;
      },
    },
    clock: createMovingClock(),
    transport: { send: () => Promise.reject(new BugError('no network in this test')) },
    trainingHost: createCountingHost(),
    logger: silentLogger,
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Subjects after both exports were imported by the whole site. */
async function subjectCount(identifierAuthorities?: ReadonlyMap<string, string>): Promise<number> {
  await initialiseSite(ports, { name: 'Alpha', identifierAuthorities });
  const files = { 'patient.json': JSON.stringify(patient), 'messages.hl7': message };
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  const site = await openSite(ports);
  const paths = Object.keys(files).map((name) => path.join(folder, name));
  const request = {
    paths,
    mapping: null,
    actor: { name: 'Sten', role: 'steward' },
    signal: new AbortController().signal,
  } as const;
  for await (const event of site.ingest.ingestPaths(request))
    if (event.kind === 'file') expect(event.file.outcome).not.toBe('rejected');
  const { subjectCount: count } = site.status();
  await site.close();
  return count;
}

describe('the authorities of patient numbers', () => {
  it('make one patient of what two sources name in their own ways', async () => {
    const named = new Map([['urn:consilium:hl7v2:authority:WARD', authority]]);
    expect(await subjectCount(named)).toBe(1);
    const { store, close } = openProfile(ports);
    expect(loadIdentifierAuthorities(store)).toEqual(named);
    close();
  });

  it('name an opt-out list in the same way', async () => {
    await subjectCount(new Map([['urn:consilium:hl7v2:authority:WARD', authority]]));
    const file = path.join(folder, 'list.csv');
    writeFileSync(file, '77\n');
    const site = await openSite(ports);
    const named = { path: file, authority: 'urn:consilium:hl7v2:authority:WARD', column: null };
    const order = { ...named, statedDate: '2026-11-01' };
    const summary = await site.consent.importOptOuts(order, { name: 'Sten', role: 'steward' });
    expect(summary).toEqual({ authority, entryCount: 1, matchedCount: 1 });
    await site.close();
  });

  it('stand as the sources have them where none is named', async () => {
    expect(await subjectCount()).toBe(2);
  });
});
