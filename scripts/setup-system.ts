// Installs what the test suites need from the operating system, on Debian and its relatives: only what is missing, and no service is started.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isInstalled, type SystemPackage, systemPackages } from './system-packages.ts';

/** Debian asks this script whether a package may start its service. */
const policyFile = '/usr/sbin/policy-rc.d';

function run(command: string, ...args: string[]): boolean {
  console.log(`$ ${command} ${args.join(' ')}`);
  return (
    spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0
  );
}

/** Orthanc's package would start a server that listens on every interface, with a standard password. */
function withoutServices(install: () => boolean): boolean {
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    if (ownPolicy) rmSync(policyFile);
  }
}

function installPackages(missing: readonly SystemPackage[]): boolean {
  const names = missing.map(({ name }) => name);
  const installed =
    run('apt-get', 'update', '-qq') &&
    withoutServices(() => run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names));
  // Nor at the next boot: the tests start their own process, on a free port of the loopback interface.
  if (installed && names.includes('orthanc') && existsSync('/run/systemd/system'))
    run('systemctl', 'disable', '--quiet', '--now', 'orthanc');
  return installed;
}

const missing = systemPackages.filter((entry) => !isInstalled(entry));
for (const entry of systemPackages)
  console.log(
    isInstalled(entry)
      ? `${entry.name} is there: ${entry.file}`
      : `${entry.name} is missing: ${entry.leftOut}`,
  );

if (missing.length > 0) {
  const names = missing.map(({ name }) => name).join(' ');
  if (!existsSync('/usr/bin/apt-get')) {
    console.log(`No apt-get here. Install by hand: ${names} (for Chromium set CHROMIUM to its path).`);
  } else if (process.getuid?.() !== 0) {
    console.log(`Run as root: apt-get install ${names}`);
  } else if (!installPackages(missing)) {
    console.error(`SYSTEM_SETUP_FAILED: apt-get could not install ${names}.`);
    process.exit(1);
  }
}
