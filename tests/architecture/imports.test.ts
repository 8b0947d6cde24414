// Holds the real import graph against the table of ARCHITECTURE.md. There are no ignore lists.
import { describe, expect, it } from 'vitest';
import { STAGES } from '#site/stages.ts';
import { isTest, readSourceTree, type SourceFile } from './source-tree.ts';

const sources = readSourceTree('src').filter(({ file }) => !isTest(file));

/** Folder -> what its files may import of ours, as path prefixes. Its own folder is always allowed. */
const allowed: Record<string, readonly string[]> = {
  base: [],
  bench: ['src/'],
  federation: ['src/base/'],
  site: ['src/base/', 'src/federation/'],
  consortium: ['src/base/', 'src/federation/'],
  ipc: ['src/base/', 'src/federation/'],
  host: ['src/base/', 'src/federation/crypto/', 'src/ipc/', 'src/site/site.ts'],
  headless: ['src/base/', 'src/ipc/', 'src/host/', 'src/site/site.ts'],
  cli: [
    'src/base/',
    'src/federation/',
    'src/ipc/',
    'src/host/',
    'src/headless/',
    'src/bench/',
    'src/site/site.ts',
    'src/consortium/consortium.ts',
  ],
  main: [
    'src/base/',
    'src/federation/crypto/',
    'src/federation/records/',
    'src/ipc/',
    'src/host/',
    'src/site/site.ts',
  ],
  preload: ['src/ipc/'],
  renderer: ['src/ipc/'],
};

/** Module -> the one file or folder that may import it. */
const soleImporters: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^node:crypto$|^crypto$/, ['src/federation/crypto/']],
  [/^better-sqlite3/, ['src/base/sqlite-database.ts']],
  [/^@tensorflow\//, ['src/site/model/', 'src/site/training/', 'src/site/evaluation/']],
  [/^electron$/, ['src/main/', 'src/preload/']],
];

/** Folder -> packages and built-ins that must not appear in it. */
const forbidden: readonly (readonly [string, RegExp])[] = [
  ['federation', /^node:(?!crypto$)|^electron|sqlite|^@tensorflow|^kysely/],
  ['ipc', /^node:|^electron/],
  ['preload', /^node:|^(?!electron$|#)/],
  ['renderer', /^node:|^electron/],
  ['main', /sqlite|^@tensorflow/],
  ['host', /^electron/],
  ['headless', /^electron/],
  ['cli', /^electron/],
];

function folderOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function violations(check: (source: SourceFile) => string[]): string[] {
  return sources.flatMap(check);
}

describe('the import graph', () => {
  it('was read at all', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap(({ imports }) => imports).filter(({ isOwn }) => isOwn).length).toBeGreaterThan(
      300,
    );
  });

  it('has no folder outside the table', () => {
    expect(
      [...new Set(sources.map(({ file }) => folderOf(file)))].filter((folder) => !(folder in allowed)),
    ).toEqual([]);
  });

  it('follows the table of directions', () => {
    const wrong = violations(({ file, imports }) => {
      const folder = folderOf(file);
      const may = [`src/${folder}/`, ...(allowed[folder] ?? [])];
      return imports
        .filter(
          ({ isOwn, target }) =>
            isOwn && target.startsWith('src/') && !may.some((prefix) => target.startsWith(prefix)),
        )
        .map(({ target }) => `${file} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('lets the contract see only types of the federation', () => {
    const wrong = violations(({ file, imports }) =>
      folderOf(file) === 'ipc'
        ? imports
            .filter(({ target, isTypeOnly }) => target.startsWith('src/federation/') && !isTypeOnly)
            .map(({ target }) => `${file} -> ${target}`)
        : [],
    );
    expect(wrong).toEqual([]);
  });

  it('gives each dangerous module one importer', () => {
    const wrong = violations(({ file, imports }) =>
      imports
        .filter(({ target, isOwn, isTypeOnly }) => {
          if (isOwn || isTypeOnly) return false;
          const rule = soleImporters.find(([module]) => module.test(target));
          return rule !== undefined && !rule[1].some((prefix) => file.startsWith(prefix));
        })
        .map(({ target }) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps built-ins and packages out of folders that must not have them', () => {
    const wrong = violations(({ file, imports }) =>
      imports
        .filter(
          ({ target, isOwn }) =>
            !isOwn && forbidden.some(([folder, module]) => folder === folderOf(file) && module.test(target)),
        )
        .map(({ target }) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycle', () => {
    const graph = new Map(
      sources.map(({ file, imports }) => [
        file,
        imports.filter(({ isOwn, isTypeOnly }) => isOwn && !isTypeOnly).map(({ target }) => target),
      ]),
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, trail: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

describe('the stages of a site', () => {
  const stageOf = (file: string) => /^src\/site\/([^/]+)\//.exec(file)?.[1];

  it('are the folders of src/site, in the order of the pipeline', () => {
    const folders = new Set(sources.map(({ file }) => stageOf(file)).filter((stage) => stage !== undefined));
    expect([...folders].sort()).toEqual([...STAGES].sort());
  });

  it('import earlier stages only, and those by their index', () => {
    const order = new Map<string, number>(STAGES.map((stage, index) => [stage, index]));
    const wrong = violations(({ file, imports }) => {
      const stage = stageOf(file);
      if (stage === undefined) return [];
      return imports
        .filter(({ target, isOwn }) => {
          const other = isOwn ? stageOf(target) : undefined;
          if (other === undefined || other === stage) return false;
          return (
            (order.get(other) ?? Number.POSITIVE_INFINITY) > (order.get(stage) ?? -1) ||
            target !== `src/site/${other}/index.ts`
          );
        })
        .map(({ target }) => `${file} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });
});
