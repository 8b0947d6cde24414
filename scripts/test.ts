// `npm test`: every suite in turn, each with its result, and by name each one that could not run here and why.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, isInstalled, systemPackages } from './system-packages.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

interface Suite {
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
  /** Why it cannot run here, or undefined. */
  readonly missing?: () => string | undefined;
}

const vitest = (project: string) => [['vitest', 'run', '--project', project]];
const needsChromium = () =>
  isInstalled(chromium) ? undefined : `no Chromium at ${chromium.file}; run "npm run setup:system"`;

/** The Electron package has no install script; its binary is there only after "npx install-electron" or a cached download. */
function electronMissing(): string | undefined {
  const folder = path.dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  return existsSync(path.join(folder, 'dist', 'version'))
    ? undefined
    : 'the Electron binary is not on this machine';
}

/** The stand-in for Electron is an x64 Linux program, and electron-builder packs for the platform it runs on. */
function packagingMissing(): string | undefined {
  const platform = `${process.platform}-${process.arch}`;
  return platform === 'linux-x64'
    ? undefined
    : `the stand-in for Electron is for linux-x64; this is ${platform}`;
}

const suites: readonly Suite[] = [
  {
    name: 'typecheck',
    commands: [
      ['tsc', '-p', 'tsconfig.node.json'],
      ['tsc', '-p', 'tsconfig.web.json'],
    ],
  },
  { name: 'lint', commands: [['biome', 'check', '--error-on-warnings']] },
  { name: 'tensorflow', commands: [['scripts/setup-tensorflow.ts', '--optional']] },
  { name: 'unit', commands: vitest('unit') },
  { name: 'architecture', commands: vitest('architecture') },
  { name: 'vectors', commands: vitest('vectors') },
  { name: 'build', commands: [['electron-vite', 'build', '--logLevel', 'warn']] },
  {
    name: 'packaging',
    commands: [['scripts/package-dir.ts', '--built'], ...vitest('packaging')],
    missing: packagingMissing,
  },
  { name: 'federation', commands: vitest('federation') },
  { name: 'adversarial', commands: vitest('adversarial') },
  { name: 'interop', commands: vitest('interop') },
  { name: 'e2e', commands: [['playwright', 'test']], missing: needsChromium },
  {
    name: 'electron',
    commands: [['playwright', 'test', '--config', 'playwright.electron.config.ts']],
    missing: electronMissing,
  },
];

const only = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1]?.split(',')
  : undefined;
const results: { name: string; outcome: 'passed' | 'failed' | 'skipped'; note: string }[] = [];

for (const suite of suites) {
  if (only !== undefined && !only.includes(suite.name)) continue;
  const missing = suite.missing?.();
  if (missing !== undefined) {
    results.push({ name: suite.name, outcome: 'skipped', note: missing });
    continue;
  }
  console.log(`\n== ${suite.name}`);
  const started = Date.now();
  const passed = suite.commands.every(
    (command) =>
      spawnSync(process.execPath, [path.join(root, 'scripts/launch.mjs'), ...command], {
        stdio: 'inherit',
        cwd: root,
      }).status === 0,
  );
  results.push({
    name: suite.name,
    outcome: passed ? 'passed' : 'failed',
    note: `${((Date.now() - started) / 1000).toFixed(1)} s`,
  });
}

console.log('\nSuites:');
for (const { name, outcome, note } of results)
  console.log(`  ${outcome.padEnd(8)} ${name.padEnd(13)} ${note}`);
const desktop = results.find(({ name }) => name === 'electron');
if (desktop !== undefined) {
  console.log(
    desktop.outcome === 'skipped'
      ? `Desktop app: its wiring ran over a fake Electron (unit) and its screens in a browser (e2e); ${desktop.note}.`
      : 'Desktop app: it ran under Electron itself.',
  );
}
console.log(
  process.env.CONSILIUM_DATA === undefined
    ? 'Optional data: CONSILIUM_DATA is not set; tests on it were left out.'
    : 'Optional data: CONSILIUM_DATA is set; tests on it ran.',
);
const missing = systemPackages.filter((entry) => !isInstalled(entry));
console.log(
  missing.length === 0
    ? 'Programs of the operating system: all are there.'
    : 'Programs of the operating system that are missing ("npm run setup:system" installs them):',
);
for (const { name, leftOut } of missing) console.log(`  ${name.padEnd(17)} left out: ${leftOut}`);
const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exit(count('failed') === 0 ? 0 : 1);
