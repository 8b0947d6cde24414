import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseError } from '#base/sqlite-database.ts';
import { sliceFile } from '#support/image-files.ts';
import { openSourcesWorld, type SourcesWorld } from '#support/sources-world.ts';
import type { SourceKind } from '../source-kind.ts';
import { parseFolderSettings, watchedFolderKind, watchFolder } from './watched-folder-kind.ts';

const steward = { name: 'Steward', role: 'steward' } as const;
/** Looks every 40 ms, for a test's sake. */
const quickKind: SourceKind = { ...watchedFolderKind, listen: async (context) => watchFolder(context, 40) };

let world: SourcesWorld;
let folder: string;
beforeEach(async () => {
  world = openSourcesWorld([quickKind]);
  folder = path.join(world.site.folder, 'exports');
  mkdirSync(folder);
  await world.sources.save({ kind: 'folder', label: 'Exports', settings: { path: folder } }, steward);
});
afterEach(() => world.close());

const imageCount = (): number =>
  (world.site.store.prepare('SELECT count(*) AS count FROM sop_instance').get() as { count: number }).count;
const received = (): number => world.sources.list()[0]?.received ?? 0;

describe('a watched folder', () => {
  it('imports what is laid into it, once, also after a restart', async () => {
    await world.sources.listen();
    mkdirSync(path.join(folder, 'a'));
    writeFileSync(path.join(folder, 'a', '1.dcm'), sliceFile({}));
    await world.until(() => received() === 1);
    await world.sources.close();
    await world.reopen().listen();
    writeFileSync(path.join(folder, '2.dcm'), sliceFile({ instance: 2 }));
    await world.until(() => received() === 2);
    expect(imageCount()).toBe(2);
    expect(world.outcomeNames()).toHaveLength(2);
  });

  it('goes on when the disk had no room for a time', async () => {
    let faults = 1;
    const full: SourceKind = {
      ...watchedFolderKind,
      listen: async (context) =>
        watchFolder(
          {
            ...context,
            importPaths: (...request) => {
              if (faults-- > 0) throw new DatabaseError('DATABASE_FULL', 'no room');
              return context.importPaths(...request);
            },
          },
          40,
        ),
    };
    const other = openSourcesWorld([full]);
    await other.sources.save({ kind: 'folder', label: 'Exports', settings: { path: folder } }, steward);
    writeFileSync(path.join(folder, '1.dcm'), sliceFile({}));
    await other.sources.listen();
    await other.until(() => other.sources.list()[0]?.received === 1);
    expect(faults).toBeLessThan(0);
    await other.close();
  });

  it('leaves a file alone while it grows, and takes what is moved in whole', async () => {
    const bytes = sliceFile({});
    const growing = path.join(folder, 'growing.dcm');
    writeFileSync(growing, bytes.subarray(0, 300));
    await world.sources.listen();
    const timer = setInterval(() => appendFileSync(growing, Buffer.alloc(1)), 5);
    const outside = path.join(world.site.folder, 'moved.dcm');
    writeFileSync(outside, sliceFile({ instance: 3 }));
    renameSync(outside, path.join(folder, 'moved.dcm'));
    await world.until(() => received() === 1);
    clearInterval(timer);
    writeFileSync(growing, bytes);
    await world.until(() => received() === 2);
    expect(imageCount()).toBe(2);
    expect(world.outcomeNames().filter((name) => name.endsWith('growing.dcm'))).toHaveLength(1);
  });

  it('follows no link', async () => {
    const outside = path.join(world.site.folder, 'outside.dcm');
    writeFileSync(outside, sliceFile({}));
    symlinkSync(outside, path.join(folder, 'link.dcm'));
    await world.sources.listen();
    writeFileSync(path.join(folder, 'own.dcm'), sliceFile({ instance: 2 }));
    await world.until(() => received() === 1);
    expect(world.outcomeNames().map((name) => path.basename(name))).toEqual(['own.dcm']);
  });

  it('is looked through at once when a steward asks', async () => {
    writeFileSync(path.join(folder, '1.dcm'), sliceFile({}));
    const [source] = world.sources.list();
    const { signal } = new AbortController();
    for await (const _ of world.sources.run(source?.sourceId ?? '', steward, signal));
    expect(imageCount()).toBe(1);
  });

  it.each([
    ['no path', {}],
    ['a relative path', { path: 'exports' }],
    ['an unknown setting', { path: '/exports', patth: 'x' }],
    ['a pause that is none', { path: '/exports', pollSeconds: 0 }],
  ])('is not set up with %s', (_, settings) => {
    expect(() => parseFolderSettings(settings)).toThrow(
      expect.objectContaining({ code: 'BAD_SOURCE_SETTINGS' }),
    );
  });
});
