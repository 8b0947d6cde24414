// E19, E20, E4 and E12 on media: a genuine bundle of each direction, changed as a courier, a thief or a wrong drawer would, and read by a real
// site and a real consortium. Nothing of a refused one is taken.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import {
  createTrustedKeys,
  encodeStatement,
  readUnverified,
  signStatement,
} from '#federation/records/record.ts';
import { trustListRecord } from '#federation/records/trust-list.ts';
import {
  type BundleManifest,
  bundleInRecord,
  bundleOutRecord,
  peekManifest,
  verifyManifest,
} from '#federation/sync-contract/bundle-manifest.ts';
import { createFileKeyStore } from '#host/file-key-store.ts';
import {
  type CarriedFederation,
  type FederationSeed,
  openCarried,
  researchStudyId,
  type SiteId,
  seedFederation,
} from '#support/carried-federation.ts';
import { refusalCode, refusalCodeOf } from '#support/refusal-code.ts';

let seed: FederationSeed;
let federation: CarriedFederation;
/** Genuine media that were never read: for Cleveland, and from it. */
let genuineIn: string;
let genuineOut: string;
let signers: Record<'consortium' | SiteId, SigningKey>;
/** A copy of a genuine medium, for one test to change. */
let medium: string;

beforeAll(async () => {
  seed = await seedFederation();
  federation = await openCarried(seed);
  const { consortium, sites } = federation;
  await consortium.operations.openRound({ researchStudyId });
  await federation.bring('cleveland');
  await federation.bring('switzerland');
  await sites.cleveland.prepare();
  genuineOut = federation.medium();
  await sites.cleveland.site.bundle.export(
    { directory: genuineOut, researchStudyId },
    sites.cleveland.steward,
  );
  genuineIn = federation.medium();
  await consortium.operations.exportBundle({ siteId: 'cleveland', researchStudyId, directory: genuineIn });
  const siteKey = ({ keyFile, profile }: { keyFile: string; profile: string }) => {
    const keys = createFileKeyStore({ file: keyFile, profile }).load();
    if (keys === undefined) throw new Error('a site without keys');
    return createSigningKey(keys.siteSigningSeed);
  };
  signers = {
    consortium: createSigningKey(seed.keys.modelSeed),
    cleveland: siteKey(sites.cleveland),
    switzerland: siteKey(sites.switzerland),
  };
});
afterAll(async () => {
  await federation.close();
  seed.remove();
});
beforeEach(() => {
  medium = federation.medium();
});

type Direction = 'in' | 'out';
const insert = (from: string) => cpSync(from, medium, { recursive: true });
const at = (...names: string[]) => path.join(medium, 'consilium-bundle', ...names);
const manifest = () => at('MANIFEST.dsse');
const readBy: Record<Direction, () => Promise<unknown>> = {
  in: () => federation.sites.cleveland.site.bundle.import(medium, federation.sites.cleveland.steward),
  out: () => federation.consortium.operations.importBundle({ directory: medium }),
};
const genuine = (direction: Direction) => (direction === 'in' ? genuineIn : genuineOut);
/** A file of each direction that a test changes. */
const victim = (direction: Direction) =>
  direction === 'in' ? at('plans', 'plan.dsse') : at('updates', updateName());
const updateName = () => {
  const { files } = peekManifest(
    readFileSync(path.join(genuineOut, 'consilium-bundle', 'MANIFEST.dsse')),
  ) ?? { files: [] };
  return path.basename(files.find(({ name }) => name.endsWith('.consilium-update'))?.name ?? '');
};

/** What a refused bundle must leave as it was. */
async function state() {
  const { researchStudies } = await federation.consortium.operations.status({});
  const { site } = federation.sites.cleveland;
  return JSON.stringify([
    researchStudies[0]?.rounds.map(({ received }) => received),
    site.researchStudies(),
    site.round.current(researchStudyId),
    site.updates.list(),
  ]);
}

async function expectRefused(direction: Direction, code: string | readonly string[]): Promise<void> {
  const before = await state();
  expect([code].flat()).toContain(await refusalCodeOf(readBy[direction]()));
  expect(await state()).toBe(before);
}

/** Signs the manifest anew with something else in it. */
function forge(change: Partial<BundleManifest>, signer: SigningKey): void {
  const known = peekManifest(readFileSync(manifest()));
  if (known === undefined) throw new Error('no manifest');
  const predicate = { ...known, ...change } as never;
  const definition = (change.kind ?? known.kind) === 'in' ? bundleInRecord : bundleOutRecord;
  const statement = encodeStatement<never>(definition as never, { predicate });
  writeFileSync(manifest(), signStatement(statement, [signer]));
}

const hostile: [string, (direction: Direction) => void][] = [
  ['a file that the manifest does not list', () => writeFileSync(at('log', 'more.json'), '{}')],
  ['a listed file missing', (direction) => rmSync(victim(direction))],
  [
    'one byte changed',
    (direction) => {
      const bytes = readFileSync(victim(direction));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(victim(direction), bytes);
    },
  ],
  ['a file made longer', (direction) => writeFileSync(victim(direction), Buffer.alloc(5_000_000))],
  ['a file emptied', (direction) => writeFileSync(victim(direction), '')],
  [
    'a link in place of a file',
    (direction) => {
      rmSync(victim(direction));
      symlinkSync('/etc/passwd', victim(direction));
    },
  ],
  [
    'a pipe in place of a file',
    (direction) => {
      rmSync(victim(direction));
      execFileSync('mkfifo', [victim(direction)]);
    },
  ],
  [
    'a link in place of a folder',
    (direction) => {
      const folder = path.dirname(victim(direction));
      cpSync(folder, path.join(medium, 'elsewhere'), { recursive: true });
      rmSync(folder, { recursive: true });
      symlinkSync(path.join(medium, 'elsewhere'), folder);
    },
  ],
  ['two names that differ only by case', () => writeFileSync(at('manifest.dsse'), '{}')],
  [
    'thousands of files too many',
    () => {
      for (let number = 0; number < 10_200; number += 1) writeFileSync(at('log', `${number}`), '');
    },
  ],
  ['a manifest of 17 MB', () => writeFileSync(manifest(), Buffer.alloc(17 * 1024 * 1024, 0x20))],
  [
    'another folder',
    () => {
      mkdirSync(at('more'));
      writeFileSync(at('more', 'a'), 'x');
    },
  ],
];

describe.each<Direction>(['in', 'out'])('E19: a medium (%s)', (direction) => {
  it.each(hostile)('with %s is refused', async (_what, change) => {
    insert(genuine(direction));
    change(direction);
    await expectRefused(direction, 'BAD_BUNDLE');
  });

  it.each([
    '../plan.dsse',
    '/etc/passwd',
    'plans/../../x',
    'plans/PLAN.dsse',
    'plans/a\u0000b',
    'MANIFEST.dsse',
  ])(
    'whose signed manifest names %j cannot even be made, and is refused where somebody makes it',
    async (name) => {
      insert(genuine(direction));
      const file = { name, bytes: 1, sha256: '0'.repeat(64) };
      const signer = direction === 'in' ? signers.consortium : signers.cleveland;
      expect(refusalCode(() => forge({ files: [file] }, signer))).toBe('BAD_STATEMENT');
      const { payload } = parseEnvelope(readFileSync(manifest()));
      const text = new TextDecoder()
        .decode(payload)
        .replace(/"files":\[.*?\]/, `"files":[${JSON.stringify(file)}]`);
      writeFileSync(manifest(), signStatement(new TextEncoder().encode(text), [signer]));
      await expectRefused(direction, 'BAD_STATEMENT');
    },
  );

  it('without a manifest is none: it was pulled out too early', async () => {
    insert(genuine(direction));
    rmSync(manifest());
    await expectRefused(direction, 'BUNDLE_NOT_FOUND');
    rmSync(at(), { recursive: true });
    await expectRefused(direction, 'BUNDLE_NOT_FOUND');
  });

  it('that was taken home and changed, with a manifest to fit, is refused: nobody trusted signed it', async () => {
    insert(genuine(direction));
    forge({ files: [] }, signers.switzerland);
    await expectRefused(direction, 'KEY_NOT_TRUSTED');
    insert(genuine(direction));
    forge({ files: [] }, createSigningKey(new Uint8Array(32).fill(7)));
    await expectRefused(direction, 'KEY_NOT_TRUSTED');
  });

  it('with any one byte of its manifest changed is refused', () => {
    insert(genuine(direction));
    // A small one is mutated at every byte: the genuine one with its list of files cut.
    const signer = direction === 'in' ? signers.consortium : signers.cleveland;
    const list = readFileSync(path.join(genuineIn, 'consilium-bundle', 'trust', 'trust-list.dsse'));
    const trust = createTrustedKeys(readUnverified(trustListRecord, list).predicate);
    const check = { trust, nowMs: federation.clock.nowMs() };
    const verify = (bytes: Uint8Array) =>
      direction === 'in'
        ? verifyManifest(bundleInRecord, bytes, check)
        : verifyManifest(bundleOutRecord, bytes, check);
    const large = new Uint8Array(readFileSync(manifest()));
    forge({ files: [] }, signer);
    const small = new Uint8Array(readFileSync(manifest()));
    expect(verify(small).predicate.files).toEqual([]);
    expect(verify(large).predicate.files.length).toBeGreaterThan(1);
    const passed = [
      ...mutations(small, 1, verify),
      ...mutations(large, Math.max(1, Math.floor(large.length / 500)), verify),
    ];
    expect(passed).toEqual([]);
  });
});

/** Places of every `step`th byte that can be changed unseen. */
function mutations(bytes: Uint8Array, step: number, verify: (bytes: Uint8Array) => unknown): number[] {
  const passed: number[] = [];
  for (let place = 0; place < bytes.length; place += step) {
    const changed = Uint8Array.from(bytes);
    changed[place] = (bytes[place] ?? 0) ^ (1 << (place % 7));
    if (refusalCode(() => verify(changed)) === 'none') passed.push(place);
  }
  return passed;
}

describe('E20: the wrong medium', () => {
  it('of another site is a mix-up', async () => {
    await federation.consortium.operations.exportBundle({
      siteId: 'switzerland',
      researchStudyId,
      directory: medium,
    });
    await expectRefused('in', 'MIXUP');
  });

  it.each<[Direction, Direction]>([
    ['in', 'out'],
    ['out', 'in'],
  ])('that goes the other way (%s) is a mix-up', async (reader, written) => {
    insert(genuine(written));
    await expectRefused(reader, 'MIXUP');
  });

  it('of another research study is no research study of this site', async () => {
    insert(genuineOut);
    const refused = federation.consortium.operations.exportBundle({
      siteId: 'cleveland',
      researchStudyId: 'another',
      directory: federation.medium(),
    });
    expect(await refusalCodeOf(refused)).toBe('NOT_FOUND');
  });

  it('signed by one site in the name of another is refused', async () => {
    insert(genuineOut);
    forge({ siteId: 'cleveland' }, signers.switzerland);
    await expectRefused('out', 'KEY_NOT_TRUSTED');
  });

  it("with another site's update in it counts for nobody", async () => {
    insert(genuineOut);
    forge({ siteId: 'switzerland', sequence: 9 }, signers.switzerland);
    const before = await state();
    const { items } = await federation.consortium.operations.importBundle({ directory: medium });
    expect(items).toMatchObject([
      { item: 'update', outcome: 'refused', code: 'MIXUP' },
      { item: 'log-checkpoint', outcome: 'refused' },
    ]);
    expect(await state()).toBe(before);
  });

  it('with an update under another name is a mix-up', async () => {
    insert(genuineOut);
    const name = `updates/${'a'.repeat(64)}.consilium-update`;
    cpSync(victim('out'), at(name));
    rmSync(at('log'), { recursive: true });
    rmSync(victim('out'));
    const bytes = readFileSync(at(name));
    forge(
      { sequence: 77, files: [{ name, bytes: bytes.length, sha256: sha256Hex(bytes) }] },
      signers.cleveland,
    );
    const { items } = await federation.consortium.operations.importBundle({ directory: medium });
    expect(items).toMatchObject([{ outcome: 'refused', code: 'MIXUP' }]);
  });

  it.each<Direction>(['in', 'out'])('that has expired (%s) is refused', async (direction) => {
    insert(genuine(direction));
    const signer = direction === 'in' ? signers.consortium : signers.cleveland;
    forge({ expires: '2026-01-01T00:00:00.000Z' }, signer);
    await expectRefused(direction, 'EXPIRED');
  });
});

describe('after all that', () => {
  it('the genuine media are read, and each refusal is in the log of its reader', async () => {
    insert(genuineOut);
    expect(await readBy.out()).toMatchObject({
      sequence: 1,
      items: [{ outcome: 'received' }, { outcome: 'received' }],
    });
    rmSync(medium, { recursive: true });
    insert(genuineIn);
    expect(await readBy.in()).toMatchObject({ sequence: 2, missing: [], isRepeat: false });
    const { site, steward } = federation.sites.cleveland;
    const { entries } = site.audit.list(
      { search: '', action: 'bundle-read', offset: 0, limit: 200 },
      steward,
    );
    const reasons = new Set(
      entries.filter(({ outcome }) => outcome === 'refused').map(({ reason }) => reason),
    );
    for (const code of [
      'BAD_BUNDLE',
      'BAD_STATEMENT',
      'BUNDLE_NOT_FOUND',
      'EXPIRED',
      'KEY_NOT_TRUSTED',
      'MIXUP',
    ])
      expect(reasons).toContain(code);
    expect(site.audit.verify(steward).verified).toBe(true);
  });

  it.each<Direction>(['in', 'out'])('two bundles under one number (%s) are a fork', async (direction) => {
    insert(genuine(direction));
    const signer = direction === 'in' ? signers.consortium : signers.cleveland;
    forge({ createdAt: '2026-01-01T00:00:00.000Z' }, signer);
    await expectRefused(direction, 'BUNDLE_FORK');
  });

  it('a receipt whose proof is of something else leaves its update waiting, though the consortium itself lies', async () => {
    await federation.consortium.operations.exportBundle({
      siteId: 'cleveland',
      researchStudyId,
      directory: medium,
    });
    const { files = [] } = peekManifest(readFileSync(manifest())) ?? {};
    const proof = files.find(({ name }) => name.startsWith('log/receipt-'))?.name ?? '';
    const genuineProof = readFileSync(at(proof));
    const exchange = (bytes: Uint8Array) => {
      writeFileSync(at(proof), bytes);
      const changed = { name: proof, bytes: bytes.length, sha256: sha256Hex(bytes) };
      forge({ files: files.map((file) => (file.name === proof ? changed : file)) }, signers.consortium);
    };
    exchange(readFileSync(at('log', 'round-0.json')));
    await expectRefused('in', 'NOT_LOGGED');
    const { site, steward } = federation.sites.cleveland;
    const query = { search: '', action: 'receipt-refused', offset: 0, limit: 10 };
    expect(site.audit.list(query, steward).entries).toMatchObject([{ reason: 'NOT_LOGGED' }]);
    exchange(genuineProof);
    expect(await readBy.in()).toMatchObject({ receipts: [path.basename(updateName(), '.consilium-update')] });
  });

  it('an old medium, inserted again after newer ones, changes nothing', async () => {
    await federation.bring('cleveland');
    insert(genuineIn);
    const before = await state();
    expect(await readBy.in()).toMatchObject({ isRepeat: true, isOvertaken: true, received: [] });
    rmSync(medium, { recursive: true });
    insert(genuineOut);
    expect(await readBy.out()).toMatchObject({ isRepeat: true });
    expect(await state()).toBe(before);
  });
});
