// House rules that a machine can check: banned calls, sizes, names, and a documented meaning for every error code.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isTest, readSourceTree, repositoryRoot } from './source-tree.ts';

const sources = readSourceTree('src');
const product = sources.filter(({ file }) => !isTest(file));
const everything = [...sources, ...readSourceTree('tests'), ...readSourceTree('scripts')];

/** What must not be written, where, and why. */
const banned: readonly { pattern: RegExp; where: RegExp; except?: RegExp; why: string }[] = [
  {
    pattern: /Math\.random\(/,
    where: /^src\//,
    why: 'randomness comes from the system or a seeded keystream',
  },
  { pattern: /\bDate\.now\(|new Date\(\)/, where: /^src\/federation\//, why: 'federation reads no clock' },
  {
    pattern: /\bconsole\./,
    where: /^src\//,
    except: /^src\/(cli|bench)\//,
    why: 'logs go through the redacting logger',
  },
  {
    pattern: /shell\.openExternal/,
    where: /^src\//,
    except: /^src\/main\/safe-shell\.ts$/,
    why: 'one checked caller',
  },
  {
    pattern: /\bipcMain\b/,
    where: /^src\//,
    why: 'the window gets a port and no channel to the main process',
  },
  {
    pattern: /crashReporter\.start/,
    where: /^src\//,
    why: 'once started it writes dumps of processes that hold decrypted records',
  },
  {
    pattern: /\bconst require = /,
    where: /^src\//,
    why: 'the bundler of the desktop app puts one into each file, and two do not load',
  },
  {
    pattern: /dangerouslySetInnerHTML|\.innerHTML\s*=|\beval\(|new Function\(/,
    where: /^src\//,
    why: 'stored XSS',
  },
  {
    pattern: /@ts-ignore|@ts-nocheck|@ts-expect-error/,
    where: /^(src|tests|scripts)\//,
    why: 'types are mended, not silenced',
  },
  { pattern: /\b(it|describe|test)\.(only|todo)\(/, where: /^(src|tests)\//, why: 'a suite runs whole' },
  { pattern: /\b(TODO|FIXME)\b/, where: /^(src|tests|scripts)\//, why: 'loose ends live in issues' },
];

describe('house rules', () => {
  it.each(banned)('$pattern is not written ($why)', ({ pattern, where, except }) => {
    const found = everything
      .filter(
        ({ file }) =>
          where.test(file) && !(except?.test(file) ?? false) && !file.startsWith('tests/architecture/'),
      )
      .filter(({ text }) => pattern.test(text))
      .map(({ file }) => file);
    expect(found).toEqual([]);
  });

  it('a skipped test prints why', () => {
    const silent = everything
      .filter(({ file }) => !file.startsWith('tests/architecture/'))
      .flatMap(({ file, text }) =>
        text
          .split('\n')
          .map((line, index) => ({ line, at: `${file}:${index + 1}` }))
          .filter(({ line }) => /\b(it|describe|test)\.skip\(/.test(line)),
      )
      .map(({ at }) => at);
    expect(silent).toEqual([]);
  });

  it('files of the product stay under 400 lines, and half of them under 120', () => {
    const lengths = product.map(({ file, text }) => ({ file, lines: text.split('\n').length }));
    expect(lengths.filter(({ lines }) => lines > 400)).toEqual([]);
    const sorted = lengths.map(({ lines }) => lines).sort((left, right) => left - right);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(120);
  });

  it('names say what a file holds', () => {
    const vague = /(^|\/)(utils?|helpers?|common|manager|misc|types)(\.|\/)/;
    const odd = product
      .map(({ file }) => file)
      .filter((file) => vague.test(file) || !/^[a-z0-9/.-]+$/.test(file));
    expect(odd).toEqual([]);
  });

  it('every file begins with a comment that says what it guarantees', () => {
    expect(
      product.filter(({ text }) => !text.startsWith('//') && !text.startsWith('/*')).map(({ file }) => file),
    ).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const documented = readFileSync(path.join(repositoryRoot, 'docs/errors.md'), 'utf8');

  it('explains every code of every closed union', () => {
    const codes = product.flatMap(({ file, text }) =>
      [...text.matchAll(/export type \w+Code\s*=([^;]+);|extends CodedError<(['A-Z0-9_ |]+)>/g)].flatMap(
        ([, named, inline]) =>
          [...(named ?? inline ?? '').matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, code]) => ({
            file,
            code: code ?? '',
          })),
      ),
    );
    expect(codes.length).toBeGreaterThan(50);
    expect(codes.filter(({ code }) => !documented.includes(`| \`${code}\` |`))).toEqual([]);
  });
});

describe('the repository', () => {
  it('has no file of the wrong kind at its top', () => {
    for (const needed of [
      'package.json',
      'electron-builder.yml',
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
    ]) {
      expect(existsSync(path.join(repositoryRoot, needed)), needed).toBe(true);
    }
  });
});
