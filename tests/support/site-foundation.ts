// A site's first stages in memory: store, keys, audit log, people, with a clock that the test moves.
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { type AuditLog, openAuditLog } from '#site/audit/index.ts';
import { createSiteKeys, openPeople, type People } from '#site/people/index.ts';
import type { KeyStore, SiteKeys } from '#site/ports.ts';
import { openStore, type Store } from '#site/store/index.ts';
import { seededRandom } from './seeded-random.ts';

export interface MovingClock {
  nowMs(): number;
  advance(milliseconds: number): void;
}

export function createMovingClock(startMs = Date.parse('2026-11-21T08:00:00.000Z')): MovingClock {
  let now = startMs;
  return {
    nowMs: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}

export interface MemoryKeyStore extends KeyStore {
  saveCount: number;
}

export function createMemoryKeyStore(keys: SiteKeys): MemoryKeyStore {
  let kept = keys;
  const store: MemoryKeyStore = {
    saveCount: 0,
    load: () => kept,
    save: (changed) => {
      kept = changed;
      store.saveCount += 1;
    },
  };
  return store;
}

export interface SiteFoundation {
  readonly clock: MovingClock;
  readonly store: Store;
  readonly keyStore: MemoryKeyStore;
  readonly auditLog: AuditLog;
  readonly people: People;
  /** Actions in the audit log with their outcome and code, oldest first. */
  events(): string[];
  close(): void;
}

/** `file` is a path for an encrypted store, or left out for one in memory. */
export function createSiteFoundation(seed: string, file = ':memory:'): SiteFoundation {
  const clock = createMovingClock();
  const keys = createSiteKeys(seededRandom(seed));
  const keyStore = createMemoryKeyStore(keys);
  const store = openStore({ file, key: keys.storeKey, clock });
  const signer = createSigningKey(keys.siteLogSeed);
  const origin = `consilium.example/test/${seed}/log`;
  const auditLog = openAuditLog({ store, signer, origin, bootId: 'test', softwareVersion: '0.0.0' });
  const people = openPeople({ store, auditLog, keyStore, random: seededRandom(`${seed}-people`) });
  const events = (): string[] => {
    const { entries } = auditLog.list({ search: '', action: null, offset: 0, limit: 500 });
    return entries
      .reverse()
      .map(({ action, outcome, reason }) => [action, outcome, reason ?? ''].join(' ').trim());
  };
  return { clock, store, keyStore, auditLog, people, events, close: () => store.close() };
}
