import { describe, expect, it } from 'vitest';
import { unwrapSeed, wrapSeed } from '#federation/crypto/secret-wrap.ts';

const seed = new Uint8Array(32).map((_byte, index) => index);
const wrapped = wrapSeed(seed, 'Zürich corréct horse', 'Anna');

describe('a wrapped key', () => {
  it('opens with its secret, however the accents were typed', () => {
    expect(unwrapSeed(wrapped, 'Zürich corréct horse'.normalize('NFD'))).toEqual(seed);
    expect(wrapped.sealedSeed).toHaveLength(60);
  });

  it.each([
    ['another secret', wrapped, 'Zürich correct horse'],
    ['no secret', wrapped, ''],
    ["another person's name", { ...wrapped, name: 'Ben' }, 'Zürich corréct horse'],
  ])('stays shut with %s', (_name, key, secret) => {
    expect(() => unwrapSeed(key, secret)).toThrow(expect.objectContaining({ code: 'WRONG_SECRET' }));
  });

  it.each([{ N: 2 }, { r: 1 }, { p: 0 }, { N: 2 ** 40 }])(
    'with weaker or absurd parameters %j is BAD_KEY',
    (change) => {
      const changed = { ...wrapped, scrypt: { ...wrapped.scrypt, ...change } };
      expect(() => unwrapSeed(changed, 'Zürich corréct horse')).toThrow(
        expect.objectContaining({ code: 'BAD_KEY' }),
      );
    },
  );
});
