// The options that every `consilium consortium` command shares, and the way it reaches its consortium.
import { Command, Option } from 'commander';
import { type OutputOptions, printFailure } from '#cli/output.ts';
import { type ConsortiumOperations, reachConsortium } from '#consortium/consortium.ts';

export interface ConsortiumCommandOptions extends OutputOptions {
  readonly profile: string;
  readonly keys?: string;
}

/** A command with --profile, --keys and --json. */
export function consortiumCommand(nameAndArguments: string, description: string): Command {
  return new Command(nameAndArguments)
    .description(description)
    .requiredOption('--profile <dir>', 'profile folder of the consortium')
    .addOption(new Option('--keys <file>', 'key file, outside the profile').env('CONSILIUM_KEYS'))
    .option('--json', 'one JSON document on standard output');
}

/** Reaches the consortium (a running `serve`, else opens the profile), acts, and lets go. */
export async function withConsortium(
  options: ConsortiumCommandOptions,
  act: (operations: ConsortiumOperations) => Promise<void>,
): Promise<void> {
  try {
    const reached = await reachConsortium({ profile: options.profile, keyFile: options.keys });
    try {
      await act(reached.operations);
    } finally {
      reached.close();
    }
  } catch (error) {
    printFailure(error, options.json === true);
  }
}
