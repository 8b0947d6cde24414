import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex, utf8 } from '#base/bytes.ts';
import { BugError } from '#base/coded-error.ts';
import { wrapSeed } from '#federation/crypto/secret-wrap.ts';
import { createSigningKey, verifySignature } from '#federation/crypto/signing-key.ts';
import { systemActor } from '#site/audit/index.ts';
import { createSiteKeys, openPeople } from '#site/people/index.ts';
import type { SiteKeys } from '#site/ports.ts';
import { refusalCode } from '#support/refusal-code.ts';
import { seededRandom } from '#support/seeded-random.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';

const secret = 'correct horse battery';
const ada = { name: 'Zo\u00eb Steward', role: 'steward' } as const;

let site: SiteFoundation;
beforeEach(() => {
  site = createSiteFoundation('people');
});
afterEach(() => site.close());

describe('people', () => {
  it('adds a person with a key of their own, listed by its public half', () => {
    expect(site.people.add(ada, secret, systemActor)).toEqual(ada);
    expect(site.people.list()).toEqual([ada]);
    const signer = site.people.unlockSigner({ name: ada.name, secret });
    verifySignature(
      site.people.keys()[0]?.publicKey ?? new Uint8Array(),
      utf8('text'),
      signer.sign(utf8('text')),
    );
    expect(site.keyStore.load()?.people.map(({ name }) => name)).toEqual([ada.name]);
    expect(site.events()).toEqual(['person-added success']);
  });

  it('keeps the private key unreadable in what the key store holds', () => {
    site.people.add(ada, secret, systemActor);
    const seed = seededRandom('people-people')(32);
    expect(toHex(createSigningKey(seed).publicKey)).toBe(
      toHex(site.people.keys()[0]?.publicKey ?? new Uint8Array()),
    );
    const kept = site.keyStore.load()?.people[0];
    expect(toHex(kept?.sealedSeed ?? new Uint8Array())).not.toContain(toHex(seed));
  });

  it.each([
    ['a second person of one name', { ...ada }, secret, 'PERSON_EXISTS'],
    [
      'the same name in another Unicode form',
      { ...ada, name: ' Zoe\u0308 Steward ' },
      secret,
      'PERSON_EXISTS',
    ],
    ['an empty name', { ...ada, name: '  ' }, secret, 'BAD_PERSON_NAME'],
    ['a name that turns text around', { ...ada, name: 'Ada \u202eSteward' }, secret, 'BAD_PERSON_NAME'],
    ['a name with a line break', { ...ada, name: 'Ada\u0000' }, secret, 'BAD_PERSON_NAME'],
    ['a short secret', { ...ada, name: 'Ben' }, '1234567', 'SECRET_TOO_SHORT'],
  ])('refuses %s', (_case, person, personSecret, code) => {
    site.people.add(ada, secret, systemActor);
    expect(refusalCode(() => site.people.add(person, personSecret, systemActor))).toBe(code);
    expect(site.people.list()).toEqual([ada]);
    expect(site.keyStore.saveCount).toBe(1);
  });

  it('signs a person in and logs it', () => {
    site.people.add(ada, secret, systemActor);
    expect(site.people.signIn({ name: ada.name, secret })).toEqual(ada);
    expect(site.events().at(-1)).toBe('signed-in success');
  });

  it('gives the same answer for an unknown person and a wrong secret, and does not log what was typed as a name', () => {
    site.people.add(ada, secret, systemActor);
    expect(refusalCode(() => site.people.signIn({ name: 'hunter2', secret }))).toBe('SIGN_IN_REFUSED');
    expect(refusalCode(() => site.people.signIn({ name: ada.name, secret: 'wrong secret' }))).toBe(
      'SIGN_IN_REFUSED',
    );
    expect(site.events().slice(1)).toEqual([
      'sign-in-refused refused UNKNOWN_PERSON',
      'sign-in-refused refused WRONG_SECRET',
    ]);
    const { entries } = site.auditLog.list({ search: '', action: null, offset: 0, limit: 10 });
    expect(JSON.stringify(entries)).not.toContain('hunter2');
  });

  it('locks a person for a minute after five wrong secrets in a row, whichever way they were tried, and after a restart', () => {
    site.people.add(ada, secret, systemActor);
    const wrong = { name: ada.name, secret: 'wrong secret' };
    for (let index = 0; index < 5; index++) {
      expect(
        refusalCode(() => (index % 2 === 0 ? site.people.signIn(wrong) : site.people.unlockSigner(wrong))),
      ).toBe('SIGN_IN_REFUSED');
    }
    expect(site.events().at(-1)).toBe('sign-in-refused refused WRONG_SECRET_LOCKED');
    const { store, auditLog, keyStore } = site;
    const reopened = openPeople({ store, auditLog, keyStore });
    expect(refusalCode(() => reopened.signIn({ name: ada.name, secret }))).toBe('SIGN_IN_LOCKED');
    expect(refusalCode(() => reopened.unlockSigner({ name: ada.name, secret }))).toBe('SIGN_IN_LOCKED');
    expect(site.events().at(-1)).toBe('sign-in-refused refused SIGN_IN_LOCKED');
    site.clock.advance(59_999);
    expect(refusalCode(() => reopened.signIn({ name: ada.name, secret }))).toBe('SIGN_IN_LOCKED');
    site.clock.advance(1);
    expect(reopened.signIn({ name: ada.name, secret })).toEqual(ada);
  });

  it('forgets wrong secrets after a right one', () => {
    site.people.add(ada, secret, systemActor);
    const wrong = { name: ada.name, secret: 'wrong secret' };
    const tries = [wrong, wrong, wrong, wrong, { name: ada.name, secret }, wrong];
    const codes = tries.map((credentials) => refusalCode(() => site.people.signIn(credentials)));
    expect(codes).toEqual([...Array(4).fill('SIGN_IN_REFUSED'), 'none', 'SIGN_IN_REFUSED']);
    expect(refusalCode(() => site.people.signIn({ name: ada.name, secret }))).toBe('none');
  });

  it('refuses a key that somebody put under the name of another', () => {
    site.people.add(ada, secret, systemActor);
    const keys = site.keyStore.load() ?? createSiteKeys(seededRandom('none'));
    const forged = wrapSeed(new Uint8Array(32).fill(1), 'secret of a thief', ada.name);
    site.keyStore.save({ ...keys, people: [forged] });
    expect(refusalCode(() => site.people.unlockSigner({ name: ada.name, secret: 'secret of a thief' }))).toBe(
      'PERSON_KEY_MISSING',
    );
    site.keyStore.save({ ...keys, people: [] });
    expect(refusalCode(() => site.people.signIn({ name: ada.name, secret }))).toBe('PERSON_KEY_MISSING');
  });

  it('makes one pseudonym key for each research study and keeps it', () => {
    const key = site.people.researchStudyKey('heart-disease');
    expect(key).toHaveLength(32);
    expect(site.people.researchStudyKey('heart-disease')).toEqual(key);
    expect(site.people.researchStudyKey('tumour')).not.toEqual(key);
    const { store, auditLog, keyStore } = site;
    expect(openPeople({ store, auditLog, keyStore }).researchStudyKey('heart-disease')).toEqual(key);
    expect(site.keyStore.saveCount).toBe(2);
    expect(site.events()).toEqual(['key-created success', 'key-created success']);
  });

  it('brings no pseudonym key into use whose entry is not in the log, whenever the process dies', () => {
    const { store, auditLog, keyStore } = site;
    const dying = (when: 'before' | 'after') => ({
      load: keyStore.load,
      save: (keys: SiteKeys) => {
        if (when === 'after') keyStore.save(keys);
        throw new Error('killed');
      },
    });
    const created = () => site.events().filter((event) => event.startsWith('key-created')).length;
    for (const [when, studyId] of [
      ['before', 'one'],
      ['after', 'two'],
    ] as const) {
      const people = openPeople({ store, auditLog, keyStore: dying(when) });
      const entries = created();
      expect(() => people.researchStudyKey(studyId)).toThrow('killed');
      expect(created()).toBe(entries + 1);
    }
    const kept = keyStore.load()?.researchStudyKeys ?? {};
    expect(Object.keys(kept)).toEqual(['two']);
    expect(openPeople({ store, auditLog, keyStore }).researchStudyKey('one')).toHaveLength(32);
  });

  it('makes no pseudonym key inside a transaction that could take its entry back', () => {
    const { store, people, keyStore } = site;
    expect(() => store.transaction(() => people.researchStudyKey('one'))).toThrow(BugError);
    expect(keyStore.load()?.researchStudyKeys).toEqual({});
    expect(site.events()).toEqual([]);
  });

  it('has different keys for updates and for the log', () => {
    expect(site.people.siteSigner().keyId).not.toBe(site.people.logSigner().keyId);
  });

  it('refuses to open without keys', () => {
    const { store, auditLog } = site;
    const keyStore = { load: () => undefined, save: () => {} };
    expect(refusalCode(() => openPeople({ store, auditLog, keyStore }))).toBe('KEYS_MISSING');
  });
});

describe('site keys', () => {
  it('are all different and of 32 bytes', () => {
    const keys = createSiteKeys(seededRandom('keys'));
    const secrets = [
      keys.storeKey,
      keys.linkageKey,
      keys.subjectKey,
      keys.siteSigningSeed,
      keys.siteLogSeed,
    ].map(toHex);
    expect(new Set(secrets).size).toBe(5);
    expect(secrets.every((text) => text.length === 64)).toBe(true);
  });
});
