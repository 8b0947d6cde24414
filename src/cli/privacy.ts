// `consilium privacy epsilon`: what a DP-SGD setting promises each patient, before anybody trains with it. Opens no profile.
import { type Command, Option } from 'commander';
import { parseChance, parseNumber, parseWholeNumber } from '#cli/option-parsers.ts';
import { type OutputOptions, printFailure, printResult } from '#cli/output.ts';
import { type PrivacyGuarantee, privacyGuarantee } from '#federation/privacy/privacy-guarantee.ts';
import type { PrivacySpend } from '#federation/privacy/privacy-spend.ts';

interface EpsilonOptions extends OutputOptions {
  readonly noise: number;
  readonly rate: number;
  readonly steps: number;
  readonly delta: number;
  readonly accountant: PrivacyGuarantee['accountant'];
}

const meaning = `
What is printed is one promise in four parts that mean nothing apart:
  epsilon    how much likelier one patient can make any result, as a factor of e^epsilon
  delta      the probability with which that may fail; below one in the number of patients
  unit       patient: all rows and images of a patient together
  adjacency  add-or-remove-one-patient: the training with a patient against the training without`;

export function registerPrivacy(program: Command): void {
  const privacy = program.command('privacy').description('what training with differential privacy promises');
  privacy
    .command('epsilon')
    .description(
      'epsilon at a delta, of steps of DP-SGD with Poisson sampling of patients; never below the true one',
    )
    .requiredOption(
      '--noise <multiplier>',
      'standard deviation of the noise on the sum of gradients, in clipping norms',
      parseNumber(0, 1_000_000),
    )
    .requiredOption('--rate <probability>', 'with which each patient is in a step', parseNumber(0, 1))
    .requiredOption(
      '--steps <number>',
      'steps of all rounds together',
      parseWholeNumber(0, 1_000_000_000_000),
    )
    .requiredOption('--delta <probability>', 'with which the promise may fail', parseChance)
    .addOption(
      new Option('--accountant <name>', 'rdp: Rényi divergences; pld: privacy loss distribution, tighter')
        .choices(['rdp', 'pld'])
        .default('rdp'),
    )
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', meaning)
    .action((options: EpsilonOptions) => {
      try {
        printResult(options, promise(options), describe);
      } catch (error) {
        printFailure(error, options.json === true);
      }
    });
}

function promise({ noise, rate, steps, delta, accountant }: EpsilonOptions): PrivacyGuarantee & PrivacySpend {
  const spend: PrivacySpend = { noiseMultiplier: noise, samplingRate: rate, steps };
  return { ...privacyGuarantee([spend], { accountant, delta }), ...spend };
}

function describe({ epsilon, delta, unit, adjacency, accountant }: PrivacyGuarantee): string[] {
  // Rounded up, so that the shorter number promises no more.
  const shown = (Math.ceil(epsilon * 10_000) / 10_000).toFixed(4);
  return [
    `epsilon ${shown} at delta ${delta}`,
    `unit ${unit}, adjacency ${adjacency}, accountant ${accountant}`,
  ];
}
