// `doctor`: every check of a site, each with its cause and the next step. It writes nothing, and works beside a process that holds the profile.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isCodedError } from '#base/coded-error.ts';
import { diagnoseSite, isProfileFree, type SiteDiagnosis, type SitePorts } from '#site/site.ts';
import { checkConsortium } from './consortium-checks.ts';
import { checkEngine } from './engine-checks.ts';
import { type Finding, problem, sound } from './finding.ts';
import { checkMachine, readMachine } from './machine-checks.ts';

export interface DoctorReport {
  /** False when a finding is a problem. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export interface DoctorOptions {
  readonly ports: Pick<SitePorts, 'paths' | 'clock' | 'transport' | 'trainingHost'>;
  /** Opens the key file; what it throws is a finding. */
  readonly openKeyStore: () => SitePorts['keyStore'];
  /** Whether a running app or `serve` of this profile answers. */
  readonly isAnswering: () => Promise<boolean>;
}

export async function examineSite(options: DoctorOptions): Promise<DoctorReport> {
  const { paths, clock, transport, trainingHost } = options.ports;
  const findings: Finding[] = [];
  const isThere = existsSync(paths.profile);
  findings.push(isThere ? await checkProfile(options) : missingProfile());
  const { site, ...read } = isThere ? readSite(options) : { findings: [], site: null };
  findings.push(...read.findings);
  findings.push(...(await checkEngine(trainingHost)));
  findings.push(...checkMachine(readMachine(existingFolder(paths.profile))));
  if (site !== null) {
    const { consortium } = site;
    findings.push(...(await checkConsortium({ consortium, transport, nowMs: () => clock.nowMs() })));
  }
  return { ok: findings.every(({ state }) => state !== 'problem'), findings };
}

async function checkProfile({ ports, isAnswering }: DoctorOptions): Promise<Finding> {
  if (await isAnswering()) return sound('profile', 'A running Consilium holds the profile, and answers.');
  if (isProfileFree(ports.paths.profile)) return sound('profile', 'No process holds the profile.');
  return problem('profile', {
    code: 'PROFILE_NOT_ANSWERING',
    message: 'Another process holds the profile, and does not answer.',
    nextStep: 'End the other Consilium, or wait for it: a command may be at work.',
  });
}

function missingProfile(): Finding {
  return problem('profile', {
    code: 'PROFILE_MISSING',
    message: 'There is no folder of that name.',
    nextStep: 'Check --profile, or make a site there: `consilium site init`.',
  });
}

/** Key file and store. A site that cannot be read is null. */
function readSite({ ports, openKeyStore }: DoctorOptions): {
  findings: Finding[];
  site: SiteDiagnosis | null;
} {
  try {
    const keyStore = openKeyStore();
    const site = diagnoseSite({ paths: ports.paths, clock: ports.clock, keyStore });
    const findings = [
      sound('keys', 'The key file is private and can be read.'),
      sound('store', 'The store opens with its key.'),
    ];
    return { findings, site };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    const { code, message } = error;
    const check = code.startsWith('KEY_') || code === 'PROFILE_WITHOUT_KEYS' ? 'keys' : 'store';
    const nextStep = nextSteps[code] ?? 'See docs/errors.md.';
    return { findings: [{ check, state: 'problem', code, message, nextStep, details: {} }], site: null };
  }
}

const nextSteps: Readonly<Record<string, string>> = {
  KEY_FILE_MODE: 'Give the file to your account alone (chmod 600), and find out who could read it.',
  KEY_FILE_INSIDE_PROFILE: 'Move the key file out of the profile folder, and name it with --keys.',
  KEY_FILE_BROKEN: 'Restore the key file from its backup.',
  KEY_FILE_UNAVAILABLE: 'Check the disk and the rights of the folder that holds the key file.',
  PROFILE_WITHOUT_KEYS: 'Restore the key file from its backup, or name it with --keys.',
  NOT_INITIALISED: 'Make a site there: `consilium site init`.',
  DATABASE_UNREADABLE: 'Name the key file that belongs to this profile (--keys), or restore a backup.',
};

/** The folder itself, or the nearest above it that exists. */
function existingFolder(folder: string): string {
  const absolute = resolve(folder);
  return existsSync(absolute) ? absolute : existingFolder(dirname(absolute));
}
