// Short texts in one block are read as they were written.
import { expect, it } from 'vitest';
import { ShortTexts } from './short-texts.ts';

it('gives back each text under its number, and none where none was written', () => {
  const written = ['abcdefghijklmnopqrstuvwxyz', 'é', '漢字', 'x'.repeat(255), '\u{1f600}', ' '];
  const texts = new ShortTexts(written.length + 1);
  for (const [number, text] of written.entries()) texts.set(number, text);
  expect(written.map((_, number) => texts.get(number))).toEqual(written);
  expect([texts.get(written.length), texts.get(99)]).toEqual([undefined, undefined]);
});

it('gives back the last of two texts under one number', () => {
  const texts = new ShortTexts(2);
  texts.set(0, 'first');
  texts.set(1, 'other');
  texts.set(0, 'second');
  expect([texts.get(0), texts.get(1)]).toEqual(['second', 'other']);
});

it.each([
  ['no text', ''],
  ['more than 255 bytes', 'é'.repeat(128)],
])('refuses %s', (_, text) => {
  expect(() => new ShortTexts(1).set(0, text)).toThrow(RangeError);
});
