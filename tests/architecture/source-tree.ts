// Reads the repository as it is: source files and the modules they import, resolved to repository paths.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  readonly file: string;
  readonly text: string;
  readonly imports: readonly ImportedModule[];
}

export interface ImportedModule {
  /** Repository path for our own modules, else the package or built-in as written. */
  readonly target: string;
  readonly isOwn: boolean;
  /** `import type`: erased before the code runs. */
  readonly isTypeOnly: boolean;
}

const statement = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?'([^']+)'/g;
const dynamicImport = /(?:import|require(?:Package)?(?:\.resolve)?|import\.meta\.resolve)\(\s*'([^']+)'/g;

/** Every TypeScript file below `folder`, sorted. */
export function readSourceTree(folder: string): SourceFile[] {
  return readdirSync(path.join(repositoryRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) =>
      path.relative(repositoryRoot, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'),
    )
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(repositoryRoot, file), 'utf8');
      return { file, text, imports: readImports(file, text) };
    });
}

export function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file);
}

function readImports(file: string, text: string): ImportedModule[] {
  const found: ImportedModule[] = [];
  for (const [, typeOnly, specifier] of text.matchAll(statement)) {
    if (specifier !== undefined)
      found.push({ ...resolveModule(file, specifier), isTypeOnly: typeOnly !== undefined });
  }
  for (const [, specifier] of text.matchAll(dynamicImport)) {
    if (specifier !== undefined) found.push({ ...resolveModule(file, specifier), isTypeOnly: false });
  }
  return found;
}

function resolveModule(file: string, specifier: string): { target: string; isOwn: boolean } {
  if (specifier.startsWith('#support/'))
    return { target: `tests/support/${specifier.slice(9)}`, isOwn: true };
  if (specifier.startsWith('#')) return { target: `src/${specifier.slice(1)}`, isOwn: true };
  if (specifier.startsWith('.'))
    return { target: path.posix.join(path.posix.dirname(file), specifier), isOwn: true };
  return { target: specifier, isOwn: false };
}
