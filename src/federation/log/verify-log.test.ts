import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64, toHex, utf8 } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { signCheckpoint } from '#federation/log/checkpoint.ts';
import {
  claimedOrigin,
  encodeCheckpointFile,
  encodeDetailLine,
  parseLogTrust,
  verifyExportedLog,
} from '#federation/log/exported-log.ts';
import { encodeLeaf, parseLeaf } from '#federation/log/leaf.ts';
import { createLogWriter, type LogEvent, type LogWriter } from '#federation/log/log-writer.ts';
import { completedNodes, hashLeaf, rootHash } from '#federation/log/merkle-tree.ts';
import type { LogTrust, LogVerification } from '#federation/log/verify-log.ts';
import { createMemoryLogStorage, type MemoryLogStorage } from '#support/memory-log-storage.ts';

const origin = 'consilium.example/site/cleveland/log';
const signer = createSigningKey(new Uint8Array(32).fill(1));
const stranger = createSigningKey(new Uint8Array(32).fill(2));
const trust: LogTrust = { origin, publicKeys: [signer.publicKey], witnessed: [] };
const startMs = Date.UTC(2026, 10, 21, 8);

interface Log {
  readonly storage: MemoryLogStorage;
  readonly writer: LogWriter;
  readonly clock: { value: number; nowMs(): number };
}

function createLog(key = signer): Log {
  const storage = createMemoryLogStorage();
  const clock = { value: startMs, nowMs: () => clock.value };
  let drawn = 0;
  const random = (length: number) => {
    drawn += 1;
    return new Uint8Array(length).fill(drawn);
  };
  const writer = createLogWriter({
    storage,
    signer: key,
    origin,
    clock,
    random,
    bootId: 'boot-a',
    softwareVersion: '0.1.0',
  });
  return { storage, writer, clock };
}

function fill(log: Log, count: number, change: Partial<LogEvent> = {}): Log {
  for (let index = 0; index < count; index += 1) {
    log.clock.value += 1000;
    log.writer.append({
      actor: 'Dr Ada Steward',
      role: 'steward',
      action: 'consent-withdrawn',
      outcome: 'success',
      detail: JSON.stringify({ index }),
      ...change,
    });
  }
  return log;
}

interface Files {
  lines: string[];
  details: string[];
  notes: string[];
}

function filesOf({ storage }: Log): Files {
  return {
    lines: storage.leaves.map(({ line }) => line),
    details: storage.details.map(encodeDetailLine),
    notes: storage.checkpoints.map(({ note }) => note),
  };
}

const text = (lines: readonly string[]): Uint8Array => utf8(lines.map((line) => `${line}\n`).join(''));

function verify(files: Files, trusted: LogTrust = trust): LogVerification {
  return verifyExportedLog(
    {
      leaves: text(files.lines),
      details: text(files.details),
      checkpoints: utf8(encodeCheckpointFile(files.notes)),
    },
    trusted,
  );
}

/** 25 entries with a checkpoint after 10, 20 and 25. */
function sample(): Log {
  const log = createLog();
  for (const count of [10, 10, 5]) {
    fill(log, count);
    log.writer.checkpoint();
  }
  return log;
}

/** Makes every entry from `from` on again, so that seq and previous fit: what an insider with the whole database would do. */
function rechain(lines: string[], from: number): string[] {
  const result = [...lines];
  for (let seq = from; seq < result.length; seq += 1) {
    const before = result[seq - 1];
    const previous = before === undefined ? '0'.repeat(64) : toHex(hashLeaf(utf8(before)));
    result[seq] = encodeLeaf({ ...parseLeaf(result[seq] ?? ''), seq, previous });
  }
  return result;
}

const edit = (line: string | undefined): string => (line ?? '').replace('Dr Ada', 'Dr Eve');

let files: Files;
beforeAll(() => {
  files = filesOf(sample());
});

describe('a sound log', () => {
  it('verifies, with its root, its counts and nothing to say', () => {
    const result = verify(files);
    expect(result).toMatchObject({
      verified: true,
      leafCount: 25,
      checkpointCount: 3,
      vouchedCount: 25,
      problem: null,
    });
    expect(result.notices).toEqual([]);
    expect(toBase64(Buffer.from(result.rootHash, 'hex'))).toBe(files.notes[2]?.split('\n')[2]);
  });

  it('verifies while empty, once that is signed', () => {
    const log = createLog();
    log.writer.checkpoint();
    expect(verify(filesOf(log))).toMatchObject({ verified: true, leafCount: 0 });
  });

  it('stays whole when details are erased, and says how many', () => {
    const erased = { ...files, details: files.details.filter((_, index) => index % 2 === 0) };
    expect(verify(erased)).toMatchObject({ verified: true, erasedDetailCount: 12 });
  });

  it('verifies against what witnesses saw', () => {
    const witnessed = sample().storage.checkpoints.map(({ note }) => {
      const [, size, root] = note.split('\n');
      return { size: Number(size), rootHash: new Uint8Array(Buffer.from(root ?? '', 'base64')) };
    });
    expect(verify(files, { ...trust, witnessed })).toMatchObject({ verified: true });
  });
});

/** security.md A6: what was done to the exported files, first bad entry and its code. */
const tampered: readonly (readonly [string, (files: Files) => Files, number | null, string])[] = [
  [
    'one byte of an entry changed',
    (f) => ({ ...f, lines: f.lines.with(7, edit(f.lines[7])) }),
    7,
    'LEAF_CHANGED',
  ],
  [
    'one byte of the first entry changed',
    (f) => ({ ...f, lines: f.lines.with(0, edit(f.lines[0])) }),
    0,
    'LEAF_CHANGED',
  ],
  [
    'the entry under a checkpoint changed',
    (f) => ({ ...f, lines: f.lines.with(9, edit(f.lines[9])) }),
    9,
    'LEAF_CHANGED',
  ],
  [
    'an entry after the last but one checkpoint changed',
    (f) => ({ ...f, lines: f.lines.with(20, edit(f.lines[20])) }),
    20,
    'LEAF_CHANGED',
  ],
  [
    'the last entry changed (none after it tells which)',
    (f) => ({ ...f, lines: f.lines.with(24, edit(f.lines[24])) }),
    20,
    'ROOT_MISMATCH',
  ],
  ['an entry that is no JSON any more', (f) => ({ ...f, lines: f.lines.with(7, 'x') }), 7, 'LEAF_MALFORMED'],
  [
    'a space put into an entry',
    (f) => ({ ...f, lines: f.lines.with(7, ` ${f.lines[7]}`) }),
    7,
    'LEAF_MALFORMED',
  ],
  [
    'a field that stands twice',
    (f) => ({ ...f, lines: f.lines.with(7, (f.lines[7] ?? '').replace('{', '{"actor":"Eve",')) }),
    7,
    'LEAF_MALFORMED',
  ],
  ['an entry deleted', (f) => ({ ...f, lines: f.lines.toSpliced(12, 1) }), 12, 'LEAF_SEQUENCE'],
  ['the first entry deleted', (f) => ({ ...f, lines: f.lines.slice(1) }), 0, 'LEAF_SEQUENCE'],
  [
    'two entries swapped',
    (f) => ({ ...f, lines: f.lines.with(4, f.lines[5] ?? '').with(5, f.lines[4] ?? '') }),
    4,
    'LEAF_SEQUENCE',
  ],
  [
    'an entry repeated',
    (f) => ({ ...f, lines: f.lines.toSpliced(4, 0, f.lines[4] ?? '') }),
    4,
    'LEAF_SEQUENCE',
  ],
  [
    'an entry inserted that fits the one before',
    (f) => ({ ...f, lines: f.lines.toSpliced(4, 0, edit(f.lines[4])) }),
    4,
    'LEAF_SEQUENCE',
  ],
  [
    'an entry changed and all after it made again',
    (f) => ({ ...f, lines: rechain(f.lines.with(14, edit(f.lines[14])), 15) }),
    10,
    'ROOT_MISMATCH',
  ],
  [
    'an entry deleted and all after it made again',
    (f) => ({ ...f, details: [], lines: rechain(f.lines.toSpliced(14, 1), 14) }),
    10,
    'ROOT_MISMATCH',
  ],
  [
    'the last ten cut',
    (f) => ({ ...f, lines: f.lines.slice(0, 15), details: f.details.slice(0, 15) }),
    15,
    'LEAVES_MISSING',
  ],
  ['everything cut', (f) => ({ ...f, lines: [], details: [] }), 0, 'LEAVES_MISSING'],
  ['the checkpoints taken away', (f) => ({ ...f, notes: [] }), 0, 'NO_CHECKPOINT'],
  ['nothing left of it', () => ({ lines: [], details: [], notes: [] }), 0, 'NO_CHECKPOINT'],
  ['the last checkpoint taken away', (f) => ({ ...f, notes: f.notes.slice(0, 2) }), 20, 'UNSIGNED_TAIL'],
  [
    'a checkpoint’s signature changed',
    (f) => ({ ...f, notes: f.notes.with(1, (f.notes[1] ?? '').replace(/.{5}\n$/, 'AAAA=\n')) }),
    10,
    'CHECKPOINT_MALFORMED',
  ],
  [
    'a checkpoint’s size changed',
    (f) => ({ ...f, notes: f.notes.with(1, (f.notes[1] ?? '').replace('\n20\n', '\n21\n')) }),
    10,
    'CHECKPOINT_MALFORMED',
  ],
  [
    'a checkpoint that is no note',
    (f) => ({ ...f, notes: [...f.notes, 'nonsense'] }),
    null,
    'CHECKPOINT_MALFORMED',
  ],
  [
    'a detail changed',
    (f) => ({ ...f, details: f.details.with(6, (f.details[6] ?? '').replace('6}', '7}')) }),
    6,
    'DETAIL_CHANGED',
  ],
  [
    'the salt of a detail changed',
    (f) => ({ ...f, details: f.details.with(6, (f.details[6] ?? '').replace('Bw', 'Bg')) }),
    6,
    'DETAIL_CHANGED',
  ],
  ['two details swapped between entries', (f) => swapDetails(f, 3, 8), 3, 'DETAIL_CHANGED'],
  [
    'a detail twice',
    (f) => ({ ...f, details: f.details.toSpliced(6, 0, f.details[6] ?? '') }),
    6,
    'DETAIL_UNKNOWN',
  ],
  [
    'a detail of no entry',
    (f) => ({ ...f, details: [...f.details, (f.details[6] ?? '').replace('"seq":6', '"seq":99')] }),
    25,
    'DETAIL_UNKNOWN',
  ],
  ['a detail that is no JSON', (f) => ({ ...f, details: f.details.with(6, '{') }), 6, 'DETAIL_MALFORMED'],
];

function swapDetails(f: Files, first: number, second: number): Files {
  const renumber = (line: string | undefined, seq: number) =>
    (line ?? '').replace(/"seq":\d+/, `"seq":${seq}`);
  return {
    ...f,
    details: f.details
      .with(first, renumber(f.details[second], first))
      .with(second, renumber(f.details[first], second)),
  };
}

describe('a log that was tampered with', () => {
  it.each(tampered)('is found out: %s', (_, tamper, seq, code) => {
    const result = verify(tamper(files));
    expect(result.verified).toBe(false);
    expect(result.problem).toMatchObject({ seq, code });
  });

  it('is found out byte by byte', () => {
    const whole = text(files.lines);
    for (let at = 0; at < whole.length; at += 41) {
      const leaves = whole.slice();
      leaves[at] = (leaves[at] ?? 0) ^ 0x01;
      const checkpoints = utf8(encodeCheckpointFile(files.notes));
      expect(
        verifyExportedLog({ leaves, details: text(files.details), checkpoints }, trust).verified,
        `byte ${at}`,
      ).toBe(false);
    }
  });

  it('is found out when the log key was replaced and everything signed anew', () => {
    const replaced = filesOf(fill(createLog(stranger), 25));
    const log = fill(createLog(stranger), 25);
    log.writer.checkpoint();
    expect(verify({ ...filesOf(log) }).problem).toMatchObject({ seq: 0, code: 'LOG_KEY_REPLACED' });
    expect(verify(replaced).problem).toMatchObject({ code: 'NO_CHECKPOINT' });
  });

  it('is found out when the key was replaced in the middle', () => {
    const log = sample();
    fill(log, 5);
    const other = createLogWriter({
      storage: log.storage,
      signer: stranger,
      origin,
      clock: log.clock,
      random: (length) => new Uint8Array(length),
      bootId: 'boot-b',
      softwareVersion: '0.1.0',
    });
    other.checkpoint();
    expect(verify(filesOf(log)).problem).toMatchObject({ seq: 25, code: 'LOG_KEY_REPLACED' });
    expect(
      verify(filesOf(log), { ...trust, publicKeys: [signer.publicKey, stranger.publicKey] }).verified,
    ).toBe(true);
  });

  it('is found out when it is an older copy than a witness saw', () => {
    const log = sample();
    const yesterday = filesOf(log);
    fill(log, 10);
    const { size, rootHash } = log.writer.checkpoint();
    const witnessed = [{ size, rootHash: new Uint8Array(Buffer.from(rootHash, 'hex')) }];
    expect(verify(yesterday).verified).toBe(true);
    expect(verify(yesterday, { ...trust, witnessed }).problem).toMatchObject({
      seq: 25,
      code: 'LEAVES_MISSING',
    });
  });

  it('is found out when it went another way after a size that a witness saw', () => {
    const shown = sample();
    const seen = [shown.writer.checkpoint()];
    fill(shown, 10);
    seen.push(shown.writer.checkpoint());
    const kept = sample();
    fill(kept, 6, { actor: 'Dr Eve' });
    // Signed by the same key after the fork: it vouches for nothing that others saw.
    kept.writer.checkpoint();
    fill(kept, 6);
    kept.writer.checkpoint();
    const witnessed = seen.map(({ size, rootHash }) => ({
      size,
      rootHash: new Uint8Array(Buffer.from(rootHash, 'hex')),
    }));
    expect(verify(filesOf(kept)).verified).toBe(true);
    expect(verify(filesOf(kept), { ...trust, witnessed }).problem).toMatchObject({ seq: 25, code: 'FORKED' });
  });

  it('is found out when it is another log of the same key', () => {
    const other = { ...trust, origin: 'consilium.example/site/hungary/log' };
    expect(verify(files, other).problem).toMatchObject({ seq: 0, code: 'LOG_KEY_REPLACED' });
  });
});

describe('a clock set back', () => {
  it('is written by the log itself and named, and breaks nothing', () => {
    const log = fill(createLog(), 3);
    log.clock.value -= 3_600_000;
    fill(log, 2);
    log.writer.checkpoint();
    expect(log.storage.leaves.map(({ line }) => parseLeaf(line).action)).toEqual([
      'consent-withdrawn',
      'consent-withdrawn',
      'consent-withdrawn',
      'clock-set-back',
      'consent-withdrawn',
      'consent-withdrawn',
    ]);
    const result = verify(filesOf(log));
    expect(result.verified).toBe(true);
    expect(result.notices).toMatchObject([{ seq: 3, code: 'CLOCK_SET_BACK' }]);
  });

  it('is a problem where the log does not say it', () => {
    const log = fill(createLog(), 5);
    const { lines, details } = filesOf(log);
    const forged = lines.with(
      4,
      encodeLeaf({ ...parseLeaf(lines[4] ?? ''), time: '2026-11-20T00:00:00.000Z' }),
    );
    const result = verify({ lines: forged, details, notes: [signOver(forged)] });
    expect(result.problem).toMatchObject({ seq: 4, code: 'CLOCK_SET_BACK' });
    expect(verify({ lines, details, notes: [signOver(lines)] }).verified).toBe(true);
  });
});

/** A checkpoint over any lines, signed by the log's own key. */
function signOver(lines: readonly string[]): string {
  const storage = createMemoryLogStorage();
  for (const [seq, line] of lines.entries()) {
    const leafHash = hashLeaf(utf8(line));
    storage.addLeaf({ seq, line, leafHash });
    for (const node of completedNodes(seq, leafHash, storage)) storage.addNode(node);
  }
  return signCheckpoint({ origin, size: lines.length, rootHash: rootHash(lines.length, storage) }, signer);
}

describe('a trust file', () => {
  it('is searched by the origin that the log claims', () => {
    const bytes = (notes: readonly string[]) => ({
      leaves: text(files.lines),
      details: text(files.details),
      checkpoints: utf8(encodeCheckpointFile(notes)),
    });
    expect(claimedOrigin(bytes(files.notes))).toBe(origin);
    expect(claimedOrigin(bytes([]))).toBeUndefined();
  });

  const entry = { origin, publicKey: toBase64(signer.publicKey) };

  it('gives keys and witnessed roots by origin', () => {
    const rootHash = 'ab'.repeat(32);
    const file = JSON.stringify({
      logs: [
        entry,
        { ...entry, publicKey: toBase64(stranger.publicKey), witnessed: [{ size: 3, rootHash }] },
      ],
    });
    expect(parseLogTrust(file)).toEqual([
      {
        origin,
        publicKeys: [signer.publicKey, stranger.publicKey],
        witnessed: [{ size: 3, rootHash: new Uint8Array(32).fill(0xab) }],
      },
    ]);
  });

  it.each([
    ['no JSON', '{'],
    ['no log', '{"logs":[]}'],
    ['an unknown field', JSON.stringify({ logs: [{ ...entry, trusted: true }] })],
    ['a key that is no base64', JSON.stringify({ logs: [{ ...entry, publicKey: '!' }] })],
    ['a short root', JSON.stringify({ logs: [{ ...entry, witnessed: [{ size: 1, rootHash: 'ab' }] }] })],
  ])('is refused with %s', (_, file) => {
    expect(() => parseLogTrust(file)).toThrow(expect.objectContaining({ code: 'BAD_LOG_TRUST' }));
  });
});
