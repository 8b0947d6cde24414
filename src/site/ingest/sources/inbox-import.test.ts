import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { silentLogger } from '#base/logger.ts';
import { DatabaseError } from '#base/sqlite-database.ts';
import type { ArrivalBatch, ArrivedFile } from '../arrival-batch.ts';
import { type Inbox, openInbox } from './inbox.ts';
import { openInboxImport } from './inbox-import.ts';

let profile: string;
let inbox: Inbox;
beforeEach(() => {
  profile = mkdtempSync(path.join(tmpdir(), 'consilium-drain-'));
  inbox = openInbox({ profile, linkageKey: new Uint8Array(32).fill(5), limits: { minFreeBytes: 0 } });
});
afterEach(async () => {
  await inbox.close();
  rmSync(profile, { recursive: true });
});

const append = (name: string) =>
  inbox.append({
    header: { kind: 'dicom-receiver', label: 'PACS', receivedAt: '2026-11-25T08:00:00.000Z', name },
    bytes: utf8(name),
  });

describe('the import of what waits in the inbox', () => {
  it('ends an entry that is damaged with its outcome, and removes it', async () => {
    const bytes = Buffer.alloc(3_500_000, 'x');
    const header = { kind: 'mllp', label: 'EHR', receivedAt: '2026-11-25T08:00:00.000Z', name: 'long' };
    await inbox.append({ header, bytes });
    await inbox.close();
    const folder = path.join(profile, 'inbox');
    const file = path.join(folder, readdirSync(folder)[0] ?? '');
    const sealed = readFileSync(file);
    sealed[2_000_000] = (sealed[2_000_000] ?? 0) ^ 1;
    writeFileSync(file, sealed);
    inbox = openInbox({ profile, linkageKey: new Uint8Array(32).fill(5) });
    let counted = 0;
    const batch = {
      count: 0,
      importFile: async (_name: string, parts: AsyncIterable<Uint8Array>) => {
        for await (const _ of parts);
      },
      close: () => {},
    };
    const drain = openInboxImport({
      inbox,
      openArrivals: () => batch as unknown as ArrivalBatch,
      logger: silentLogger,
      onImported: (_kind, _label, count) => {
        counted += count;
      },
    });
    for (let tries = 0; counted === 0 && tries < 500; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await drain.close();
    expect(counted).toBe(1);
    expect(readdirSync(folder)).toEqual([`${path.basename(file)}.damaged`]);
  });

  it.each(['opened', 'written', 'closed'] as const)(
    'goes on when a batch could not be %s for a time',
    async (fault) => {
      const imported: string[] = [];
      let faults = 1;
      const failOnce = (at: typeof fault) => {
        if (at === fault && faults-- > 0) throw new DatabaseError('DATABASE_FULL', 'the disk is full');
      };
      const batch = {
        count: 0,
        importTogether: async (files: readonly ArrivedFile[]) => {
          failOnce('written');
          imported.push(...files.map(({ name }) => name));
          return [];
        },
        close: () => failOnce('closed'),
      };
      const drain = openInboxImport({
        inbox,
        openArrivals: () => {
          failOnce('opened');
          return batch as unknown as ArrivalBatch;
        },
        logger: silentLogger,
        onImported: () => {},
        retryMs: 20,
      });
      await append('first');
      for (let tries = 0; faults > 0 && tries < 400; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await append('second');
      for (let tries = 0; imported.length < 2 && tries < 400; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await drain.close();
      expect(imported.sort()).toEqual(['first', 'second']);
    },
  );
});
