// An insider at the hospital: decides without the right, on another report, or changes the audit log with the key of its store.
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex, utf8 } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { claimedOrigin, type ExportedLog, verifyExportedLog } from '#federation/log/exported-log.ts';
import type { StoredDetail } from '#federation/log/log-storage.ts';
import { hashLeaf } from '#federation/log/merkle-tree.ts';
import { type LogProblem, type LogVerification, verifyLog } from '#federation/log/verify-log.ts';
import type { UpdateReview } from '#site/site.ts';
import { systemActor } from '#site/site.ts';
import {
  type AttackedFederation,
  type AttackedSite,
  researchStudyId,
  startAttackedFederation,
} from '#support/attacked-federation.ts';

let federation: AttackedFederation;
let site: AttackedSite;
let review: UpdateReview;
const secret = 'a secret for this test';

beforeAll(async () => {
  federation = await startAttackedFederation();
  site = federation.cleveland;
  await federation.openRound();
  for (const role of ['investigator', 'admin'] as const)
    site.site.people.add({ name: `an ${role}`, role }, secret, systemActor);
  site.site.people.add({ name: 'a new steward', role: 'steward' }, secret, systemActor);
  review = await site.draft();
});
afterAll(() => federation.close());

describe('E1: a decision', () => {
  const decide = (changes: { name?: string; secret?: string; reportDigest?: string; updateId?: string }) => {
    const { reportDigest } = review;
    const { updateId } = review.summary;
    const given = { updateId, reportDigest, name: site.person.name, secret: site.secret, ...changes };
    try {
      site.site.updates.approve(given);
      return 'approved';
    } catch (error) {
      return isCodedError(error) ? error.code : 'BUG';
    }
  };

  it.each<[string, string, Parameters<typeof decide>[0]]>([
    ['by an investigator', 'NOT_A_STEWARD', { name: 'an investigator', secret }],
    ['by an admin', 'NOT_A_STEWARD', { name: 'an admin', secret }],
    [
      'by a steward whom the consortium does not list',
      'STEWARD_KEY_NOT_TRUSTED',
      { name: 'a new steward', secret },
    ],
    ['by the steward with a wrong secret', 'SIGN_IN_REFUSED', { secret: 'wrong' }],
    ['by the steward with the secret of another', 'SIGN_IN_REFUSED', { secret }],
    ['by nobody', 'SIGN_IN_REFUSED', { name: 'nobody' }],
    ['on another report than the stored one', 'REPORT_CHANGED', { reportDigest: '0'.repeat(64) }],
    ['on an update that is not there', 'UPDATE_NOT_FOUND', { updateId: '0'.repeat(64) }],
  ])('%s is %s, and nothing leaves', async (_who, code, changes) => {
    expect(decide(changes)).toBe(code);
    expect(site.site.round.current(researchStudyId).state).toBe('draft');
    const result = await site.sync();
    expect(result.sent).toEqual([]);
    expect(await federation.counted()).toEqual([]);
    if (code === 'UPDATE_NOT_FOUND') return;
    const action = code === 'SIGN_IN_REFUSED' ? 'sign-in-refused' : 'action-refused';
    const query = { search: code === 'SIGN_IN_REFUSED' ? '' : code, action, offset: 0, limit: 10 };
    expect(site.site.audit.list(query, site.person).entries.length).toBeGreaterThan(0);
  });

  it('by the steward, on the report that was shown, sends exactly this update', async () => {
    expect(decide({})).toBe('approved');
    expect((await site.sync()).sent).toMatchObject([
      { updateId: review.summary.updateId, outcome: 'received' },
    ]);
    expect(decide({})).toBe('ALREADY_DECIDED');
    expect(await federation.counted()).toEqual(['cleveland']);
  });
});

describe("A6: the log, changed by somebody with the store's key", () => {
  let older: string;
  let witnessed: { size: number; rootHash: Uint8Array };

  beforeAll(async () => {
    older = copyProfile('older');
    const { checkpoint } = lastStatement();
    // More happens, and the next update tells the consortium how long the log is by now.
    await federation.finishRound();
    await federation.openRound();
    const sealed = await site.sealed();
    const { auditCheckpoint } = (await federation.open(sealed)).update.predicate;
    witnessed = { size: auditCheckpoint.size, rootHash: Buffer.from(auditCheckpoint.rootHash, 'hex') };
    expect(witnessed.size).toBeGreaterThan(checkpoint.size);
  });

  function lastStatement(): { checkpoint: { size: number } } {
    const { leafCount } = site.site.audit.verify(site.person);
    return { checkpoint: { size: leafCount } };
  }

  /** The store as a thief or an admin copies it, write-ahead log included. */
  function copyProfile(name: string): string {
    const folder = path.join(federation.directory, `copy-${name}`);
    mkdirSync(folder);
    for (const file of readdirSync(site.profile).filter((found) => found.startsWith('site.db')))
      copyFileSync(path.join(site.profile, file), path.join(folder, file));
    return path.join(folder, 'site.db');
  }

  function openRaw(file: string): Database.Database {
    const database = new Database(file);
    database.pragma("cipher = 'sqlcipher'");
    database.pragma('legacy = 4');
    database.pragma(`key = "x'${toHex(site.keys.storeKey)}'"`);
    return database;
  }

  const guards = ['audit_leaf', 'audit_node', 'audit_checkpoint'].flatMap((table) =>
    ['update', 'delete'].map((act) => `${table}_no_${act}`),
  );

  function tampered(name: string, tamper: (database: Database.Database) => void): LogVerification {
    const file = copyProfile(name);
    const database = openRaw(file);
    for (const guard of guards) database.exec(`DROP TRIGGER ${guard}`);
    database.pragma('foreign_keys = OFF');
    tamper(database);
    const result = verifyRaw(database);
    database.close();
    return result;
  }

  function verifyRaw(database: Database.Database, seen = [witnessed]): LogVerification {
    const { origin, publicKey } = logKey();
    const all = <T>(sql: string): T[] => database.prepare(sql).all() as T[];
    return verifyLog({
      leaves: all<{ line: string; leaf_hash: Buffer }>(
        'SELECT line, leaf_hash FROM audit_leaf ORDER BY seq',
      ).map(({ line, leaf_hash }) => ({ line, leafHash: new Uint8Array(leaf_hash) })),
      details: all<StoredDetail>('SELECT seq, salt, detail FROM audit_detail ORDER BY seq'),
      checkpoints: all<{ note: string }>('SELECT note FROM audit_checkpoint ORDER BY size').map(
        ({ note }) => note,
      ),
      trust: { origin, publicKeys: [publicKey], witnessed: seen },
      isRunning: true,
    });
  }

  function logKey(): { origin: string; publicKey: Uint8Array } {
    const { keyId, publicKey } = createSigningKey(site.keys.siteLogSeed);
    return { origin: `consilium.example/site/${keyId.slice(0, 16)}/log`, publicKey };
  }

  const relabel = (line: string) => line.replace(/"actor":"[^"]*"/, '"actor":"somebody else"');
  const change = (database: Database.Database, seq: number, line: string) =>
    database
      .prepare('UPDATE audit_leaf SET line = ?, leaf_hash = ? WHERE seq = ?')
      .run(line, hashLeaf(utf8(line)), seq);
  const lineOf = (database: Database.Database, seq: number) =>
    (database.prepare('SELECT line FROM audit_leaf WHERE seq = ?').get(seq) as { line: string }).line;

  it('is refused by the database while its triggers are there', () => {
    const database = openRaw(copyProfile('guarded'));
    for (const sql of [
      "UPDATE audit_leaf SET line = 'x'",
      'DELETE FROM audit_leaf',
      'DELETE FROM audit_checkpoint',
    ])
      expect(() => database.exec(sql)).toThrow(/AUDIT_APPEND_ONLY/);
    expect(verifyRaw(database)).toMatchObject({ verified: true });
    database.close();
  });

  const place = 7;
  const cases: [string, (database: Database.Database) => void, number | null | number[]][] = [
    ['one entry changed', (database) => change(database, place, relabel(lineOf(database, place))), place],
    [
      'one entry changed and the tree above it removed',
      (database) => {
        change(database, place, relabel(lineOf(database, place)));
        database.exec('DELETE FROM audit_node');
      },
      place,
    ],
    [
      'two entries swapped',
      (database) => {
        const [left, right] = [lineOf(database, place), lineOf(database, place + 1)];
        change(database, place, right);
        change(database, place + 1, left);
      },
      place,
    ],
    [
      'an entry deleted, the rest moved up',
      (database) => {
        database.exec(`DELETE FROM audit_leaf WHERE seq = ${place}`);
        database.exec(`UPDATE audit_leaf SET seq = -seq WHERE seq > ${place}`);
        database.exec('UPDATE audit_leaf SET seq = -seq - 1 WHERE seq < 0');
      },
      place,
    ],
    [
      'an entry deleted, its place left',
      (database) => database.exec(`DELETE FROM audit_leaf WHERE seq = ${place}`),
      place,
    ],
    [
      'an entry inserted',
      (database) => {
        const line = lineOf(database, place);
        database.exec(`UPDATE audit_leaf SET seq = -seq WHERE seq >= ${place}`);
        database.exec('UPDATE audit_leaf SET seq = -seq + 1 WHERE seq < 0');
        database.prepare('INSERT INTO audit_leaf VALUES (?, ?, ?)').run(place, line, hashLeaf(utf8(line)));
      },
      [place, place + 1],
    ],
    [
      'the last ten entries cut',
      (database) => {
        const { size } = database.prepare('SELECT max(seq) + 1 AS size FROM audit_leaf').get() as {
          size: number;
        };
        database.exec(`DELETE FROM audit_leaf WHERE seq >= ${Math.min(size, witnessed.size) - 10}`);
      },
      null,
    ],
    [
      'the last ten entries cut, with every checkpoint over them',
      (database) => {
        const size = witnessed.size - 10;
        database.exec(`DELETE FROM audit_leaf WHERE seq >= ${size}`);
        database.exec(`DELETE FROM audit_detail WHERE seq >= ${size}`);
        database.exec(`DELETE FROM audit_checkpoint WHERE size > ${size}`);
      },
      null,
    ],
    [
      'a detail changed',
      (database) =>
        database.exec(
          `UPDATE audit_detail SET detail = '{}' WHERE seq = (SELECT seq FROM audit_detail WHERE seq > ${place} ORDER BY seq LIMIT 1)`,
        ),
      null,
    ],
    [
      'a checkpoint changed',
      (database) =>
        database.exec(
          "UPDATE audit_checkpoint SET note = replace(note, char(10), char(10) || ' ') WHERE size = (SELECT max(size) FROM audit_checkpoint)",
        ),
      null,
    ],
  ];

  it.each(cases)('is found with %s', (name, tamper, seq) => {
    const { verified, problem } = tampered(name.replaceAll(/[^a-z]/g, '-'), tamper);
    expect(verified).toBe(false);
    expect(problem?.code).toMatch(/^(LEAF|LEAVES|ROOT|FORKED|DETAIL|CHECKPOINT)/);
    if (seq !== null) expect([seq].flat()).toContain(problem?.seq);
  });

  it('restored from an older copy is found by whoever saw a longer one', () => {
    const database = openRaw(older);
    expect(verifyRaw(database, [])).toMatchObject({ verified: true });
    const { problem } = verifyRaw(database);
    expect(problem satisfies LogProblem | null).toMatchObject({ code: 'LEAVES_MISSING' });
    database.close();
  });

  it('cut with its checkpoints is found by the site itself, by its own signed updates', async () => {
    const raw = openRaw(path.join(site.profile, 'site.db'));
    for (const guard of guards) raw.exec(`DROP TRIGGER ${guard}`);
    raw.pragma('foreign_keys = OFF');
    const size = witnessed.size - 5;
    raw.exec(`DELETE FROM audit_leaf WHERE seq >= ${size}`);
    raw.exec(`DELETE FROM audit_detail WHERE seq >= ${size}`);
    raw.exec(`DELETE FROM audit_checkpoint WHERE size > ${size}`);
    const verdict = () => site.site.audit.verify(site.person);
    // With the tree of the longer log left behind nothing more can be appended; the verdict is told all the same.
    expect(verdict()).toMatchObject({ verified: false, problem: { code: 'LEAVES_MISSING', seq: size } });
    for (let level = 1; level < 16; level += 1)
      raw.exec(`DELETE FROM audit_node WHERE level = ${level} AND (position + 1) * ${2 ** level} > ${size}`);
    raw.close();
    expect(verdict()).toMatchObject({ verified: false, problem: { code: 'LEAVES_MISSING', seq: size } });
  });

  it('exported, is verified offline against the consortium’s copy', () => {
    const folder = path.join(federation.directory, 'export');
    federation.switzerland.site.audit.export(folder, federation.switzerland.person);
    const read = (name: string) => new Uint8Array(readFileSync(path.join(folder, name)));
    const log: ExportedLog = {
      leaves: read('leaves.jsonl'),
      details: read('details.jsonl'),
      checkpoints: read('checkpoints.txt'),
    };
    const { publicKey } = createSigningKey(federation.switzerland.keys.siteLogSeed);
    const origin = claimedOrigin(log) ?? '';
    const trust = { origin, publicKeys: [publicKey], witnessed: [] };
    expect(verifyExportedLog(log, trust)).toMatchObject({ verified: true });
    const other = { ...trust, publicKeys: [logKey().publicKey] };
    expect(verifyExportedLog(log, other).problem?.code).toBe('LOG_KEY_REPLACED');
  });
});
