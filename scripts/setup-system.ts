// Installs what the test suites need from the operating system: Chromium, on Debian and its relatives.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

function run(command: string, ...args: string[]): boolean {
  console.log(`$ ${command} ${args.join(' ')}`);
  return (
    spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0
  );
}

if (existsSync(chromium)) {
  console.log(`Chromium is there: ${chromium}`);
} else if (!existsSync('/usr/bin/apt-get')) {
  console.log(
    'No apt-get here. Install Chromium by hand and set CHROMIUM to its path; the e2e suite is left out without it.',
  );
} else if (process.getuid?.() !== 0) {
  console.log('Run as root: apt-get install chromium. The e2e suite is left out without it.');
} else if (
  !(
    run('apt-get', 'update', '-qq') &&
    run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium')
  )
) {
  console.error('SYSTEM_SETUP_FAILED: apt-get could not install chromium.');
  process.exit(1);
}
