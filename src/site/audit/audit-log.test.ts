import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { verifyCheckpoint } from '#federation/log/checkpoint.ts';
import { claimedOrigin, parseLogTrust, verifyExportedLog } from '#federation/log/exported-log.ts';
import { parseLeaf } from '#federation/log/leaf.ts';
import { type AuditEvent, type AuditLog, auditActions, openAuditLog } from '#site/audit/index.ts';
import { openStore, type Store } from '#site/store/index.ts';

const signer = createSigningKey(new Uint8Array(32).fill(1));
const origin = 'consilium.example/site/cleveland/log';
const clock = { value: 0, nowMs: () => clock.value };
const everything = { search: '', action: null, offset: 0, limit: 100 };
const event: AuditEvent = {
  actor: 'Dr Ada Steward',
  role: 'steward',
  action: 'consent-withdrawn',
  outcome: 'success',
};

let folder = '';
let store: Store;
let auditLog: AuditLog;

function open(bootId = 'boot-a'): AuditLog {
  return openAuditLog({ store, signer, origin, bootId, softwareVersion: '0.1.0' });
}

beforeEach(() => {
  clock.value = Date.UTC(2026, 10, 21, 8);
  folder = mkdtempSync(join(tmpdir(), 'consilium-audit-'));
  store = openStore({ file: join(folder, 'store.db'), key: new Uint8Array(32).fill(1), clock });
  auditLog = open();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function append(count: number, change: Partial<AuditEvent> = {}): void {
  store.transaction(() => {
    for (let index = 0; index < count; index += 1) {
      clock.value += 1;
      auditLog.append({ ...event, ...change });
    }
  });
}

const leafCount = (): number =>
  (store.prepare('SELECT count(*) AS n FROM audit_leaf').get() as { n: number }).n;
const sizes = (): number[] =>
  store
    .prepare('SELECT size FROM audit_checkpoint ORDER BY size')
    .all()
    .map((row) => (row as { size: number }).size);

/** What an insider with the database and its key can do. */
function asInsider(sql: string): void {
  for (const trigger of ['audit_leaf_no_update', 'audit_leaf_no_delete'])
    store.prepare(`DROP TRIGGER ${trigger}`).run();
  store.prepare(sql).run();
}

describe('an audit event', () => {
  it('is refused outside the transaction of its act', () => {
    expect(() => auditLog.append(event)).toThrow(expect.objectContaining({ code: 'BUG' }));
    expect(leafCount()).toBe(0);
  });

  it('is gone when its act is rolled back, and the tree is that of what stayed', () => {
    append(5);
    expect(() =>
      store.transaction(() => {
        auditLog.append(event);
        auditLog.append({ ...event, detail: { count: 1 } });
        auditLog.checkpoint();
        throw new Error('the act failed');
      }),
    ).toThrow('the act failed');
    store.transaction(() => {
      auditLog.append(event);
      expect(() =>
        store.transaction(() => {
          auditLog.append({ ...event, actor: 'rolled back' });
          throw new Error('a part of it failed');
        }),
      ).toThrow('a part');
      auditLog.append(event);
    });
    expect(leafCount()).toBe(7);
    expect(auditLog.checkpoint().size).toBe(7);
    expect(auditLog.verify()).toMatchObject({ verified: true, leafCount: 7, notices: [] });
  });

  it('is in a sound log whatever was rolled back before it, whole or in part, and whoever else wrote meanwhile', () => {
    const step = fc.record({
      count: fc.integer({ min: 0, max: 9 }),
      fails: fc.boolean(),
      partFails: fc.boolean(),
      byOther: fc.boolean(),
      signs: fc.boolean(),
    });
    let kept = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        for (const { count, fails, partFails, byOther, signs } of steps) {
          // A second writer on the same store, as another process is one.
          const log = byOther ? open('boot-a') : auditLog;
          const attempt = (isLost: boolean, work: () => void) => {
            try {
              store.transaction(() => {
                work();
                if (isLost) throw new Error('lost');
              });
            } catch (error) {
              if (!(error instanceof Error && error.message === 'lost')) throw error;
            }
          };
          attempt(fails, () => {
            for (let index = 0; index < count; index += 1) log.append(event);
            attempt(partFails, () => log.append({ ...event, detail: { index: 1 } }));
            log.append(event);
            if (signs) log.checkpoint();
          });
          kept += fails ? 0 : count + 1 + (partFails ? 0 : 1);
        }
        expect(leafCount()).toBe(kept);
        expect(auditLog.verify()).toMatchObject({ verified: true, leafCount: kept });
        kept += 1;
      }),
      { numRuns: 25 },
    );
  });

  it('stands in a leaf with every field, its detail beside it under a salted digest', () => {
    store.transaction(() =>
      auditLog.append({
        ...event,
        object: 'subject:abc',
        researchStudyId: 'heart-disease',
        round: 2,
        reason: 'WITHDRAWN',
        detail: { rows: 3 },
      }),
    );
    const row = store.prepare('SELECT line FROM audit_leaf').get() as { line: string };
    expect(parseLeaf(row.line)).toEqual({
      seq: 0,
      time: '2026-11-21T08:00:00.000Z',
      boot: 1,
      bootId: 'boot-a',
      previous: '0'.repeat(64),
      actor: 'Dr Ada Steward',
      role: 'steward',
      onBehalfOf: null,
      session: null,
      action: 'consent-withdrawn',
      object: 'subject:abc',
      researchStudyId: 'heart-disease',
      round: 2,
      outcome: 'success',
      reason: 'WITHDRAWN',
      detailDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      softwareVersion: '0.1.0',
    });
    expect(store.prepare('SELECT length(salt) AS salt, detail FROM audit_detail').get()).toEqual({
      salt: 32,
      detail: '{"rows":3}',
    });
  });

  it('counts the starts of the site', () => {
    append(1);
    auditLog = open('boot-b');
    append(2);
    const boots = store.prepare(`SELECT line ->> '$.boot' AS boot FROM audit_leaf ORDER BY seq`).all();
    expect(boots).toEqual([{ boot: 1 }, { boot: 2 }, { boot: 2 }]);
    expect(auditLog.verify().verified).toBe(true);
  });

  it('says that the app has started, and before it that the release is another one', () => {
    auditLog.begin();
    const next = { store, signer, origin, bootId: 'boot-b', softwareVersion: '0.2.0' };
    auditLog = openAuditLog(next);
    auditLog.begin();
    openAuditLog({ ...next, bootId: 'boot-c' }).begin();
    const { entries } = auditLog.list(everything);
    expect(entries.map(({ action, detail }) => [action, detail]).reverse()).toEqual([
      ['app-started', null],
      ['software-changed', '{"from":"0.1.0","to":"0.2.0"}'],
      ['app-started', null],
      ['app-started', null],
    ]);
  });

  it.each(auditActions)('%s has a name the log takes', (action) => {
    append(1, { action });
    expect(leafCount()).toBe(1);
  });
});

describe('a checkpoint', () => {
  it('is signed at every thousand leaves', () => {
    append(2500);
    expect(sizes()).toEqual([1000, 2000]);
  });

  it('is signed with the first leaf ten minutes after the last one', () => {
    append(1);
    auditLog.checkpoint();
    clock.value += 9 * 60_000;
    append(1);
    expect(sizes()).toEqual([1]);
    clock.value += 60_000;
    append(1);
    expect(sizes()).toEqual([1, 3]);
  });

  it('is the same until the log has grown, and verifies under the log key', () => {
    append(3);
    const first = auditLog.checkpoint();
    expect(auditLog.checkpoint()).toEqual(first);
    const verified = verifyCheckpoint(first.note, { name: origin, publicKey: signer.publicKey });
    expect(Buffer.from(verified.rootHash).toString('hex')).toBe(first.rootHash);
    append(1);
    expect(auditLog.checkpoint().size).toBe(4);
  });
});

describe('verification', () => {
  it('names the entry that was changed in the database, also the last one', () => {
    append(20);
    auditLog.checkpoint();
    asInsider(`UPDATE audit_leaf SET line = replace(line, 'Dr Ada', 'Dr Eve') WHERE seq = 19`);
    expect(auditLog.verify()).toMatchObject({ verified: false, problem: { seq: 19, code: 'LEAF_CHANGED' } });
  });

  it.each([
    ['deleted', 'DELETE FROM audit_leaf WHERE seq = 11', 11, 'LEAF_SEQUENCE'],
    ['cut off', 'DELETE FROM audit_leaf WHERE seq >= 10', 10, 'LEAVES_MISSING'],
  ])('names the first entry that was %s', (_, sql, seq, code) => {
    append(20);
    auditLog.checkpoint();
    asInsider(sql);
    expect(auditLog.verify()).toMatchObject({ verified: false, problem: { seq, code } });
  });

  it('names a changed detail, and lets an erased one be', () => {
    append(5, { detail: { count: 1 } });
    store.prepare('DELETE FROM audit_detail WHERE seq = 1').run();
    expect(auditLog.verify().verified).toBe(true);
    store.prepare(`UPDATE audit_detail SET detail = '{"count":2}' WHERE seq = 3`).run();
    expect(auditLog.verify()).toMatchObject({ verified: false, problem: { seq: 3, code: 'DETAIL_CHANGED' } });
  });

  it('is itself in the log, good or bad', () => {
    append(2, { detail: { count: 1 } });
    auditLog.verify({ actor: { name: 'Olga Auditor', role: 'auditor' } });
    store.prepare(`UPDATE audit_detail SET detail = '1' WHERE seq = 0`).run();
    auditLog.verify();
    const [bad, good] = auditLog.list(everything).entries;
    expect(good).toMatchObject({
      action: 'audit-verified',
      actor: 'Olga Auditor',
      role: 'auditor',
      outcome: 'success',
    });
    expect(bad).toMatchObject({
      action: 'integrity-failure',
      actor: 'system',
      outcome: 'failed',
      reason: 'DETAIL_CHANGED',
    });
  });

  it('tells of a log so damaged that nothing can be appended, and signs nothing on it', () => {
    append(4);
    auditLog.checkpoint();
    asInsider(`UPDATE audit_leaf SET line = '{}' WHERE seq = 3`);
    expect(auditLog.verify().problem).toMatchObject({ seq: 3, code: 'LEAF_CHANGED' });
    expect(() => append(1)).toThrow(expect.objectContaining({ code: 'BAD_LEAF' }));
    store.prepare('DELETE FROM audit_leaf WHERE seq = 3').run();
    expect(() => auditLog.checkpoint()).toThrow(expect.objectContaining({ code: 'LOG_DAMAGED' }));
  });

  it('names a log that is older than a witness saw', () => {
    append(3);
    const witnessed = [{ size: 8, rootHash: new Uint8Array(32) }];
    expect(auditLog.verify({ witnessed }).problem).toMatchObject({ seq: 3, code: 'LEAVES_MISSING' });
  });
});

describe('the list', () => {
  beforeEach(() => {
    append(1, { action: 'import-finished', detail: { accepted: 740 } });
    append(1, { object: 'subject:abc%_' });
    append(1, {
      actor: 'Bo Investigator',
      role: 'investigator',
      action: 'training-started',
      researchStudyId: 'heart-disease',
      round: 3,
    });
  });

  it('shows the newest first, with details, page by page', () => {
    const { total, actions, entries } = auditLog.list({ ...everything, limit: 2 });
    expect([total, actions]).toEqual([3, ['consent-withdrawn', 'import-finished', 'training-started']]);
    expect(entries.map(({ seq }) => seq)).toEqual([2, 1]);
    const [first] = auditLog.list({ ...everything, offset: 2 }).entries;
    expect(first).toMatchObject({
      seq: 0,
      detail: '{"accepted":740}',
      leafHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each([
    ['by actor, in any case', { search: 'bo invest' }, [2]],
    ['by detail', { search: '740' }, [0]],
    ['by object, taken literally', { search: 'c%_' }, [1]],
    ['by research study', { search: 'heart' }, [2]],
    ['by action', { action: 'import-finished' }, [0]],
    ['by both', { action: 'import-finished', search: 'bo' }, []],
    ['by a quote', { search: `'` }, []],
    ['not by names of fields', { search: 'softwareVersion' }, []],
  ])('filters %s', (_, filter, expected) => {
    const { total, entries } = auditLog.list({ ...everything, ...filter });
    expect(entries.map(({ seq }) => seq)).toEqual(expected);
    expect(total).toBe(expected.length);
  });

  it('records that someone read it, once for readings in a row', () => {
    const reader = { name: 'Olga Auditor', role: 'auditor' } as const;
    expect(auditLog.list(everything, reader).total).toBe(4);
    expect(auditLog.list({ ...everything, limit: 1 }).entries).toMatchObject([
      { action: 'audit-read', actor: reader.name, role: 'auditor' },
    ]);
    expect(auditLog.list({ ...everything, offset: 2 }, reader).total).toBe(4);
    append(1);
    expect(auditLog.list(everything, reader).total).toBe(6);
  });

  it('finds an action by its index', () => {
    const plan = store
      .prepare(
        `EXPLAIN QUERY PLAN SELECT line FROM audit_leaf AS leaf WHERE json_extract("leaf"."line", '$.action') = 'x'`,
      )
      .all();
    expect(JSON.stringify(plan)).toContain('audit_leaf_action');
  });
});

describe('an export', () => {
  it('holds the whole log, the export itself included, and verifies offline under a trust file', () => {
    append(30, { detail: { count: 1 } });
    const target = join(folder, 'export');
    const { files, leafCount: exported } = auditLog.exportTo(target, {
      name: 'Olga Auditor',
      role: 'auditor',
    });
    expect(files).toEqual(['leaves.jsonl', 'details.jsonl', 'checkpoints.txt', 'log-key.json']);
    expect(readdirSync(target).sort()).toEqual([...files].sort());
    expect(exported).toBe(31);
    const log = readExport(target);
    const [trust] = parseLogTrust(readFileSync(join(target, 'log-key.json'), 'utf8'));
    if (trust === undefined) throw new Error('no key was exported');
    expect(claimedOrigin(log)).toBe(trust.origin);
    expect(verifyExportedLog(log, trust)).toMatchObject({ verified: true, leafCount: 31, vouchedCount: 31 });
    const lines = readFileSync(join(target, 'leaves.jsonl'), 'utf8');
    expect(lines).toContain('"action":"audit-exported"');
    writeFileSync(join(target, 'leaves.jsonl'), lines.replace('consent-withdrawn', 'consent-granted'));
    expect(verifyExportedLog(readExport(target), trust).problem).toMatchObject({
      seq: 0,
      code: 'LEAF_CHANGED',
    });
  });

  it('replaces an older one and keeps its files from others', () => {
    append(1);
    const target = join(folder, 'export');
    auditLog.exportTo(target);
    expect(auditLog.exportTo(target).leafCount).toBe(3);
    expect(statSync(join(target, 'leaves.jsonl')).mode & 0o777).toBe(0o600);
    expect(readdirSync(target)).toHaveLength(4);
  });

  it('says by code when the folder cannot be written', () => {
    writeFileSync(join(folder, 'occupied'), '');
    expect(() => auditLog.exportTo(join(folder, 'occupied'))).toThrow(
      expect.objectContaining({ code: 'AUDIT_EXPORT_FAILED' }),
    );
  });
});

function readExport(target: string) {
  const read = (name: string): Uint8Array => readFileSync(join(target, name));
  return {
    leaves: read('leaves.jsonl'),
    details: read('details.jsonl'),
    checkpoints: read('checkpoints.txt'),
  };
}
