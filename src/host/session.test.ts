import { describe, expect, it } from 'vitest';
import { Session } from '#host/session.ts';

describe('a session', () => {
  it('ends after fifteen idle minutes, and use keeps it open', () => {
    let nowMs = 1_000_000;
    const session = new Session({ nowMs: () => nowMs });
    session.begin({ name: 'Ada', role: 'steward' });
    nowMs += 14 * 60_000;
    expect(session.person()?.name).toBe('Ada');
    nowMs += 14 * 60_000;
    expect(session.person()?.name).toBe('Ada');
    nowMs += 16 * 60_000;
    expect(session.person()).toBeNull();
    expect(session.person()).toBeNull();
  });
});
