import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { type MediaFolder, openMediaFolder } from '#base/media-folder.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type BundleFile, bundleOutRecord, isFileName } from '#federation/sync-contract/bundle-manifest.ts';
import { openBundle, readUnlisted } from '#federation/sync-contract/open-bundle.ts';
import {
  type BundleContent,
  requireOwnFolder,
  writeContents,
  writeManifest,
} from '#federation/sync-contract/write-bundle.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';

const signer = createSigningKey(sha256(utf8('a site')));
const own = { kind: 'out', siteId: 'cleveland', researchStudyId: 'heart' } as const;

let medium: string;
let root: string;
let media: MediaFolder;
beforeEach(() => {
  medium = mkdtempSync(join(tmpdir(), 'consilium-medium-'));
  root = join(medium, 'consilium-bundle');
  media = openMediaFolder(root);
});
afterEach(() => rmSync(medium, { recursive: true, force: true }));

const content = (name: string, text: string): BundleContent => ({ name, load: () => utf8(text) });
const contents = [
  content('log/a.note', 'a note'),
  content('updates/long.consilium-update', '0123456789abcdef'),
];

function manifestOf(files: readonly BundleFile[]): Uint8Array {
  const createdAt = '2026-11-21T08:00:00.000Z';
  const expires = '2026-12-21T08:00:00.000Z';
  const predicate = { ...own, sequence: 1, createdAt, expires, files: [...files] };
  return signStatement(encodeStatement(bundleOutRecord, { predicate }), [signer]);
}

async function write(to: MediaFolder, all: readonly BundleContent[], partBytes?: number) {
  await requireOwnFolder(to, own);
  const files = await writeContents({ media: to, partBytes }, all);
  await writeManifest({ media: to }, manifestOf(files));
  return files;
}

const textOf = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

describe('a bundle on a medium', () => {
  it('gives back what was written', async () => {
    const files = await write(media, contents);
    const bundle = await openBundle(media, files);
    expect([...bundle.names].sort()).toEqual(contents.map(({ name }) => name));
    expect(textOf(await bundle.find('log/a.note', 100))).toBe('a note');
    expect(await bundle.find('log/b.note', 100)).toBeUndefined();
    expect(await refusalCodeOf(bundle.find('log/a.note', 5))).toBe('BAD_BUNDLE');
  });

  it('cuts a file that is longer than a part, and joins it again', async () => {
    const files = await write(media, contents, 6);
    expect(files.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['log/a.note', 6],
      ['updates/long.consilium-update.part-0001', 6],
      ['updates/long.consilium-update.part-0002', 6],
      ['updates/long.consilium-update.part-0003', 4],
    ]);
    const bundle = await openBundle(media, files);
    expect([...bundle.names].sort()).toEqual(contents.map(({ name }) => name));
    expect(textOf(await bundle.find('updates/long.consilium-update', 16))).toBe('0123456789abcdef');
    expect(await refusalCodeOf(bundle.find('updates/long.consilium-update', 15))).toBe('BAD_BUNDLE');
  });

  it.each<[string, (files: readonly BundleFile[]) => readonly BundleFile[]]>([
    ['the first part', (files) => files.filter((_, at) => at !== 1)],
    ['a part in the middle', (files) => files.filter((_, at) => at !== 2)],
    [
      'no part, but a whole file of that name beside them',
      (files) => [
        ...files.slice(0, 1),
        { name: 'updates/long.consilium-update', bytes: 1, sha256: sha256Hex(utf8('x')) },
        ...files.slice(1),
      ],
    ],
  ])('is refused where its manifest lacks %s', async (_what, change) => {
    const files = change(await write(media, contents, 6));
    expect(await refusalCodeOf(openBundle(media, files))).toBe('BAD_BUNDLE');
  });

  it.each<[string, () => void]>([
    ['a file that the manifest does not list', () => writeFileSync(join(root, 'log', 'more'), 'x')],
    ['a file less', () => rmSync(join(root, 'log', 'a.note'))],
    ['other content of the same length', () => writeFileSync(join(root, 'log', 'a.note'), 'a nose')],
    ['a longer file', () => writeFileSync(join(root, 'log', 'a.note'), 'a note more')],
    ['a file cut short', () => writeFileSync(join(root, 'log', 'a.note'), 'a not')],
    ['no manifest', () => rmSync(join(root, 'MANIFEST.dsse'))],
    [
      'a link to a file of the same content',
      () => {
        writeFileSync(join(medium, 'a.note'), 'a note');
        rmSync(join(root, 'log', 'a.note'));
        symlinkSync(join(medium, 'a.note'), join(root, 'log', 'a.note'));
      },
    ],
  ])('is refused with %s', async (_what, change) => {
    const files = await write(media, contents);
    change();
    expect(await refusalCodeOf(openBundle(media, files))).toBe('BAD_BUNDLE');
  });

  it('is not fooled by a file that is exchanged after the bundle was opened', async () => {
    const bundle = await openBundle(media, await write(media, contents));
    writeFileSync(join(root, 'log', 'a.note'), 'a nose');
    expect(await refusalCodeOf(bundle.find('log/a.note', 100))).toBe('BAD_BUNDLE');
  });

  it('is replaced by a newer one: what is the same is kept, what is gone is removed', async () => {
    await write(media, contents);
    const saved: string[] = [];
    const watched: MediaFolder = {
      ...media,
      save: (name, bytes) => {
        saved.push(name);
        return media.save(name, bytes);
      },
    };
    const files = await write(watched, [
      content('log/a.note', 'a nose'),
      ...contents.slice(1),
      content('log/b.note', 'b'),
    ]);
    expect(saved).toEqual(['log/a.note', 'log/b.note', 'MANIFEST.dsse']);
    expect((await openBundle(media, files)).names.size).toBe(3);
    expect((await openBundle(media, await write(media, contents.slice(1)))).names.size).toBe(1);
  });

  it('pulled out at any moment while it is replaced, is whole or none, and can be written again', async () => {
    const newer = [content('log/a.note', 'a nose'), ...contents.slice(1), content('log/b.note', 'b')];
    let moments = 0;
    let wholeCount = 0;
    for (let moment = 0, isDone = false; !isDone; moment += 1) {
      rmSync(root, { recursive: true, force: true });
      const before = await write(media, contents);
      isDone = await write(pulledAt(moment), newer).then(
        () => true,
        () => false,
      );
      moments += 1;
      const hasManifest = media.list()?.has('MANIFEST.dsse') === true;
      if (hasManifest) {
        wholeCount += 1;
        if (!isDone) expect((await openBundle(media, before)).names.size).toBe(2);
      } else expect(await refusalCodeOf(readUnlisted(media, 'MANIFEST.dsse'))).toBe('BUNDLE_NOT_FOUND');
      expect((await openBundle(media, await write(media, newer))).names.size).toBe(3);
    }
    // The old manifest goes, two files and the new manifest come, and once nothing happens.
    expect(moments).toBe(5);
    // Before the first change, and after the last.
    expect(wholeCount).toBeGreaterThanOrEqual(2);
  });
});

/** The medium, gone at its n-th change: a file that was being written leaves its temporary one. */
function pulledAt(moment: number): MediaFolder {
  let count = 0;
  const change = () => {
    if (count === moment) throw new Error('pulled out');
    count += 1;
  };
  return {
    ...media,
    save: async (name, bytes) => {
      if (count === moment) {
        mkdirSync(join(root, name.includes('/') ? (name.split('/')[0] ?? '') : ''), { recursive: true });
        writeFileSync(join(root, `${name}.tmp`), bytes.subarray(0, 1));
      }
      change();
      await media.save(name, bytes);
    },
    remove: async (name) => {
      change();
      await media.remove(name);
    },
  };
}

describe('the folder to write to', () => {
  it.each<[string, () => unknown]>([
    ['a bundle of another site', () => savedManifest({ siteId: 'hungary' })],
    ['a bundle of another research study', () => savedManifest({ researchStudyId: 'tumour' })],
    ['something that is no manifest', () => media.save('MANIFEST.dsse', utf8('{}'))],
    ['a photograph', () => media.save('photo.jpg', utf8('x'))],
    ['a file of somebody in one of its folders', () => media.save('log/Notes.txt', utf8('x'))],
    ['a link', () => symlinkSync(medium, root)],
  ])('is left alone with %s in it', async (_what, plant) => {
    await plant();
    expect(await refusalCodeOf(requireOwnFolder(media, own))).toBe('BUNDLE_IN_THE_WAY');
  });

  it('may hold an earlier bundle of its own, or the rest of one', async () => {
    await savedManifest({});
    await requireOwnFolder(media, own);
    await media.remove('MANIFEST.dsse');
    await media.save('log/a.note', utf8('x'));
    writeFileSync(join(root, 'log', 'b.note.tmp'), 'x');
    await requireOwnFolder(media, own);
    expect(readFileSync(join(root, 'log', 'b.note.tmp'), 'utf8')).toBe('x');
  });
});

function savedManifest(change: object): Promise<void> {
  const createdAt = '2026-11-21T08:00:00.000Z';
  const predicate = { ...own, sequence: 1, createdAt, expires: createdAt, files: [], ...change };
  return media.save(
    'MANIFEST.dsse',
    signStatement(encodeStatement(bundleOutRecord, { predicate }), [signer]),
  );
}

describe('a name of a file in a bundle', () => {
  it.each(['log/a', 'updates/0.consilium-update', 'models/round-1.safetensors.part-0001'])(
    'may be %s',
    (name) => {
      expect(isFileName(name)).toBe(true);
    },
  );

  it.each([
    '../a',
    '/log/a',
    'log/../a',
    'log/..',
    'log/A',
    'Log/a',
    'log/a.',
    'log/.a',
    'log/a b',
    'log/a/b',
    'log',
    'other/a',
    'log/',
    'log\\a',
    'log/a\n',
    `log/${'a'.repeat(101)}`,
    'log/é',
  ])('is never %j', (name) => {
    expect(isFileName(name)).toBe(false);
  });
});
