import { describe, expect, it } from 'vitest';
import { createToken, isBearer, isToken, tokenPattern } from './token.ts';

describe('a token', () => {
  const token = createToken();

  it('is 64 hexadecimal digits, another one each time', () => {
    expect(token).toMatch(tokenPattern);
    expect(createToken()).not.toBe(token);
  });

  it.each<[string | undefined, boolean]>([
    [token, true],
    [undefined, false],
    ['', false],
    [token.slice(1), false],
    [`${token}0`, false],
    [token.toUpperCase().replaceAll(/[0-9]/g, 'A'), false],
    [`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`, false],
  ])('is %s: %s', (given, expected) => {
    expect(isToken(given, token)).toBe(expected);
  });

  it.each<[string | undefined, boolean]>([
    [`Bearer ${token}`, true],
    [`Bearer  ${token}`, false],
    [`Basic ${token}`, false],
    [undefined, false],
  ])('comes in as %s: %s', (header, expected) => {
    expect(isBearer(header, token)).toBe(expected);
  });
});
