// `consilium deidentify IN… --out DIR`: DICOM files and folders by PS3.15, pseudonymous, with a report for each file.
import path from 'node:path';
import { type Command, Option } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { endRefused, type OutputOptions, printResult } from '#cli/output.ts';
import { showProgress } from '#cli/progress.ts';
import { createFileKeyStore, siteKeyFile } from '#host/file-key-store.ts';
import {
  type DeidentifyFileReport,
  type DeidentifyProfileOption,
  type DeidentifySummary,
  deidentifyFolder,
  deriveDeidentifyKey,
  loadOrMakeDeidentifyKey,
} from '#site/site.ts';

interface DeidentifyFlags extends OutputOptions {
  readonly out: string;
  readonly key?: string;
  readonly profile?: string;
  readonly keys?: string;
  readonly cleanDescriptors?: true;
  readonly removeDates?: true;
  readonly removeCharacteristics?: true;
  readonly keepDevice?: true;
  readonly keepInstitution?: true;
  readonly safePrivate?: readonly string[];
  readonly writeSuspected?: true;
}

export function registerDeidentify(program: Command): void {
  program
    .command('deidentify')
    .description('de-identify DICOM files by PS3.15 Annex E into a new folder')
    .argument('<path...>', 'files or folders')
    .requiredOption('--out <dir>', 'output folder: new or empty')
    .option(
      '--key <file>',
      'key of the pseudonyms, made where it is missing (default: a key that is kept nowhere)',
    )
    .option('--profile <dir>', 'take the key of a site instead: its profile folder')
    .addOption(new Option('--keys <file>', 'key file of the profile').env('CONSILIUM_KEYS'))
    .option('--clean-descriptors', 'keep known words of descriptions (113105)')
    .option('--remove-dates', 'remove dates instead of moving them (without 113107)')
    .option('--remove-characteristics', 'remove age, sex, size and weight (without 113108)')
    .option('--keep-device', 'keep device identity (113109)')
    .option('--keep-institution', 'keep institution identity (113112)')
    .option(
      '--safe-private <creator,group,element...>',
      'private elements to keep (113111), e.g. "ACME 1,0019,0a"',
    )
    .option(
      '--write-suspected',
      'write images that a person has looked at: suspected of drawn text by kind only',
    )
    .option('--json', 'one JSON document on standard output')
    .action(async (paths: string[], flags: DeidentifyFlags) => runDeidentify(paths, flags));
}

async function runDeidentify(paths: readonly string[], flags: DeidentifyFlags): Promise<void> {
  const outFolder = path.resolve(flags.out);
  const inputs = paths.map((given) => path.resolve(given));
  if (
    inputs.some((input) => outFolder === input || `${outFolder}${path.sep}`.startsWith(`${input}${path.sep}`))
  )
    throw new CliError('USAGE', 'The output folder must not lie in the input.');
  const profile = { options: optionsOf(flags), safePrivate: (flags.safePrivate ?? []).map(parseSafePrivate) };
  const key = keyOf(flags);
  const order = { paths: inputs, outFolder, key, profile, writesSuspected: flags.writeSuspected === true };
  const files: DeidentifyFileReport[] = [];
  const startedAt = performance.now();
  for await (const event of deidentifyFolder(order)) {
    if (event.kind === 'file') {
      // In words only what was held back is named: a hundred thousand written files are no news.
      if (flags.json === true || 'code' in event.file) files.push(event.file);
      if (event.done % 64 === 0 || event.done === event.offered) {
        const perSecond = Math.round(event.done / ((performance.now() - startedAt) / 1_000));
        const left = Math.round((event.offered - event.done) / Math.max(1, perSecond));
        showProgress(
          `${event.done} of ${event.offered} files, ${perSecond}/s, ${left} s left`,
          event.done / event.offered,
        );
      }
    } else {
      printResult(flags, { ...event.summary, reports: files }, () => describe(event.summary, files));
      if (event.summary.quarantined + event.summary.rejected > 0) endRefused();
    }
  }
}

/** Null: a fresh key that nobody keeps. */
function keyOf({ key, profile, keys }: DeidentifyFlags): Uint8Array | null {
  if (key !== undefined && profile !== undefined)
    throw new CliError('USAGE', 'Take either a key file or a profile: --key or --profile.');
  if (key !== undefined) return loadOrMakeDeidentifyKey(path.resolve(key));
  if (profile === undefined) return null;
  const folder = path.resolve(profile);
  const stored = createFileKeyStore({ file: keys ?? siteKeyFile(folder), profile: folder }).load();
  if (stored === undefined) throw new CliError('USAGE', 'There is no key file of a site for this profile.');
  return deriveDeidentifyKey(stored.subjectKey);
}

function optionsOf(flags: DeidentifyFlags): ReadonlySet<DeidentifyProfileOption> {
  const options = new Set<DeidentifyProfileOption>();
  if (flags.cleanDescriptors === true) options.add('113105');
  if (flags.removeDates !== true) options.add('113107');
  if (flags.removeCharacteristics !== true) options.add('113108');
  if (flags.keepDevice === true) options.add('113109');
  if (flags.keepInstitution === true) options.add('113112');
  return options;
}

function parseSafePrivate(text: string) {
  const parts = /^(.{1,64}),([0-9a-fA-F]{3}[13579bdfBDF]),([0-9a-fA-F]{2})$/.exec(text);
  if (parts === null)
    throw new CliError('USAGE', '--safe-private takes "creator,group,element", e.g. "ACME 1,0019,0a".');
  const [, creator = '', group = '', element = ''] = parts;
  return { creator, group: Number.parseInt(group, 16), element: Number.parseInt(element, 16) };
}

function describe(summary: DeidentifySummary, files: readonly DeidentifyFileReport[]): string[] {
  return [
    ...files.map((file) => `${file.outcome.padEnd(11)} ${file.path}  ${'code' in file ? file.code : ''}`),
    `${summary.written} written, ${summary.duplicate} duplicate, ${summary.quarantined} quarantined, ` +
      `${summary.rejected} rejected, ${summary.skipped} skipped of ${summary.files}`,
    ...(summary.facesPossible > 0
      ? [`${summary.facesPossible} show a head: a face could be made from them; consider defacing (113102).`]
      : []),
  ];
}
