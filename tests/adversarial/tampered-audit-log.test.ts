// security.md A6, row by row: what somebody with the whole disk does to a site's log, and the first bad entry that the offline verifier
// names. The log is a site's own, exported by its own code; the trust file holds its key and two sizes that the consortium saw.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { signCheckpoint } from '#federation/log/checkpoint.ts';
import { parseLogTrust, verifyExportedLog } from '#federation/log/exported-log.ts';
import { encodeLeaf, parseLeaf } from '#federation/log/leaf.ts';
import { createCompactRange, hashLeaf } from '#federation/log/merkle-tree.ts';
import type { LogTrust, LogVerification } from '#federation/log/verify-log.ts';
import { type AuditLog, openAuditLog } from '#site/audit/index.ts';
import { openStore, type Store } from '#site/store/index.ts';

const key = new Uint8Array(32).fill(7);
const signer = createSigningKey(new Uint8Array(32).fill(1));
const thief = createSigningKey(new Uint8Array(32).fill(2));
const origin = 'consilium.example/site/cleveland/log';
/** Beyond the first checkpoint that the log signs by itself. */
const entryCount = 1030;
/** What a backup of the day before holds. */
const yesterdayCount = 1010;

let folder = '';
let trust: LogTrust;

interface OpenLog {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly clock: { value: number; nowMs(): number };
  add(count: number, actor?: string): void;
}

function openLog(file: string, { signedBy = signer, startMs = Date.UTC(2026, 10, 21, 8) } = {}): OpenLog {
  const clock = { value: startMs, nowMs: () => clock.value };
  const store = openStore({ file: path.join(folder, file), key, clock });
  const auditLog = openAuditLog({ store, signer: signedBy, origin, bootId: 'boot', softwareVersion: '0' });
  const add = (count: number, actor = 'Dr Ada Steward') =>
    store.transaction(() => {
      for (let index = 0; index < count; index += 1) {
        clock.value += 1000;
        const event = { actor, role: 'steward', action: 'consent-withdrawn', outcome: 'success' } as const;
        auditLog.append({ ...event, detail: { index } });
      }
    });
  return { store, auditLog, clock, add };
}

interface Files {
  readonly leaves: string[];
  readonly details: string[];
  readonly checkpoints: string;
}

function exportOf(file: string, signedBy = signer): Files {
  const { store, auditLog } = openLog(file, { signedBy, startMs: Date.UTC(2026, 10, 22) });
  const target = path.join(folder, `export-of-${file}`);
  auditLog.exportTo(target);
  store.close();
  const read = (name: string) => readFileSync(path.join(target, name), 'utf8');
  const lines = (name: string) => read(name).split('\n').slice(0, -1);
  return {
    leaves: lines('leaves.jsonl'),
    details: lines('details.jsonl'),
    checkpoints: read('checkpoints.txt'),
  };
}

function verify(files: Files, trusted = trust): LogVerification {
  const bytes = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const { leaves, details, checkpoints } = files;
  const log = { leaves: bytes(leaves), details: bytes(details), checkpoints: Buffer.from(checkpoints) };
  return verifyExportedLog(log, trusted);
}

let files: Files;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-a6-'));
  const log = openLog('site.db');
  log.add(yesterdayCount);
  const yesterday = log.auditLog.checkpoint();
  log.store.checkpoint();
  log.store.close();
  copyFileSync(path.join(folder, 'site.db'), path.join(folder, 'yesterday.db'));
  copyFileSync(path.join(folder, 'site.db'), path.join(folder, 'forked.db'));
  const today = openLog('site.db', { startMs: Date.UTC(2026, 10, 21, 20) });
  today.add(entryCount - yesterdayCount);
  const seen = [yesterday, today.auditLog.checkpoint()];
  today.store.close();
  const [known] = parseLogTrust(
    JSON.stringify({ logs: [{ origin, publicKey: Buffer.from(signer.publicKey).toString('base64') }] }),
  );
  if (known === undefined) throw new Error('no key');
  trust = {
    ...known,
    witnessed: seen.map(({ size, rootHash }) => ({ size, rootHash: fromHex(rootHash) })),
  };
  files = exportOf('site.db');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const edited = (line: string | undefined): string => (line ?? '').replace('Dr Ada', 'Dr Eve');
const at = (list: readonly string[], index: number): string => list[index] ?? '';

/** With another entry at `index` that fits the one before it in every field. */
function inserted(leaves: readonly string[], index: number): string[] {
  const before = at(leaves, index - 1);
  const previous = toHex(hashLeaf(utf8(before)));
  const another = encodeLeaf({ ...parseLeaf(before), seq: index, previous, actor: 'Dr Eve' });
  return leaves.toSpliced(index, 0, another);
}

/** Without the checkpoints over more than `size` entries: whoever cuts the log cuts these too. */
function checkpointsUpTo(text: string, size: number): string {
  const notes = text.split(/(?<=\n)\n(?=consilium)/);
  const kept = notes.filter((note) => Number(note.split('\n')[1]) <= size);
  return kept.map((note) => `${note.trimEnd()}\n\n`).join('');
}

describe('A6: a log that was tampered with', () => {
  it('verifies before anything was done to it', () => {
    expect(verify(files)).toMatchObject({ verified: true, leafCount: entryCount + 1, problem: null });
  });

  const rows: readonly (readonly [string, string, () => Files, number, string])[] = [
    [
      'A6.1',
      'one byte changed',
      () => ({ ...files, leaves: files.leaves.with(517, edited(files.leaves[517])) }),
      517,
      'LEAF_CHANGED',
    ],
    [
      'A6.2',
      'a leaf deleted',
      () => ({ ...files, leaves: files.leaves.toSpliced(517, 1) }),
      517,
      'LEAF_SEQUENCE',
    ],
    [
      'A6.3',
      'two leaves swapped',
      () => ({
        ...files,
        leaves: files.leaves.with(517, at(files.leaves, 520)).with(520, at(files.leaves, 517)),
      }),
      517,
      'LEAF_SEQUENCE',
    ],
    [
      'A6.4',
      'one leaf inserted, with the details that would not fit erased',
      () => ({ ...files, leaves: inserted(files.leaves, 517), details: files.details.slice(0, 517) }),
      517,
      'LEAF_SEQUENCE',
    ],
    [
      'A6.5',
      'the last ten cut, and every checkpoint over them',
      () => ({
        leaves: files.leaves.slice(0, entryCount - 10),
        details: files.details.slice(0, entryCount - 10),
        checkpoints: checkpointsUpTo(files.checkpoints, entryCount - 10),
      }),
      entryCount - 10,
      'LEAVES_MISSING',
    ],
    [
      'A6.6',
      'the log restored from the backup of yesterday, which signs on',
      () => exportOf('yesterday.db'),
      yesterdayCount + 1,
      'LEAVES_MISSING',
    ],
    ['A6.7', 'the log forked after a size that was witnessed', forked, yesterdayCount, 'FORKED'],
    ['A6.8', 'the log key replaced, and everything signed anew', resigned, 0, 'LOG_KEY_REPLACED'],
    [
      'A6.9',
      'a row of the details changed',
      () => ({
        ...files,
        details: files.details.with(517, at(files.details, 517).replace(/517(?=\})/, '715')),
      }),
      517,
      'DETAIL_CHANGED',
    ],
    ['A6.10', 'the clock set back without the log saying so', backdated, entryCount, 'CLOCK_SET_BACK'],
  ];

  it.each(rows)('%s %s is found, with its first bad entry', (_id, _what, tamper, seq, code) => {
    expect(verify(tamper())).toMatchObject({ verified: false, problem: { seq, code } });
  });

  it('A6.10 a clock set back is said by the log itself, and is no damage', () => {
    const file = 'set-back.db';
    const log = openLog(file);
    log.add(5);
    log.clock.value -= 3_600_000;
    log.add(1);
    log.store.close();
    const result = verify(exportOf(file), { ...trust, witnessed: [] });
    expect(result).toMatchObject({ verified: true, notices: [{ seq: 5, code: 'CLOCK_SET_BACK' }] });
  });
});

/** Goes on from yesterday with other entries, to the size that the consortium saw and beyond. */
function forked(): Files {
  const log = openLog('forked.db', { startMs: Date.UTC(2026, 10, 21, 20) });
  log.add(entryCount - yesterdayCount, 'Dr Eve');
  log.store.close();
  return exportOf('forked.db');
}

/** The thief has no signing key of the site, and puts another in its place. */
function resigned(): Files {
  const log = openLog('resigned.db', { signedBy: thief });
  log.add(entryCount);
  log.store.close();
  return exportOf('resigned.db', thief);
}

/** The insider with the site's own log key gives the last entry an earlier time, and signs that. */
function backdated(): Files {
  const last = at(files.leaves, entryCount);
  const leaves = files.leaves.with(
    entryCount,
    encodeLeaf({ ...parseLeaf(last), time: '2026-11-20T08:00:00.000Z' }),
  );
  const range = createCompactRange();
  for (const line of leaves) range.append(hashLeaf(utf8(line)));
  const note = signCheckpoint({ origin, size: range.size, rootHash: range.root() }, signer);
  return { ...files, leaves, checkpoints: `${checkpointsUpTo(files.checkpoints, entryCount)}${note}\n` };
}
