// The options that every `consilium site` command shares, and the way it reaches its site.
import { Command, Option } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { type OutputOptions, printFailure } from '#cli/output.ts';
import { type PersonOptions, readSecret } from '#cli/person-secret.ts';
import { type ReachedSite, reachSite } from '#headless/reach-site.ts';

export interface SiteCommandOptions extends OutputOptions, PersonOptions {
  readonly profile: string;
  readonly keys?: string;
}

/** A command with --profile, --keys and --json. */
export function siteCommand(nameAndArguments: string, description: string): Command {
  return new Command(nameAndArguments)
    .description(description)
    .requiredOption('--profile <dir>', 'profile folder of the site')
    .addOption(new Option('--keys <file>', 'key file, outside the profile').env('CONSILIUM_KEYS'))
    .option('--json', 'one JSON document on standard output');
}

/** The same for a command that acts in a person's name. */
export function personCommand(nameAndArguments: string, description: string): Command {
  return siteCommand(nameAndArguments, description)
    .addOption(new Option('--user <name>', 'the person who acts').env('CONSILIUM_USER'))
    .option('--secret-file <file>', "file with the person's secret");
}

/** Reaches the site (a running app or `serve`, else opens the profile), signs the person in, acts, and lets go. */
export async function withSite(
  options: SiteCommandOptions,
  act: (reached: ReachedSite) => Promise<void>,
): Promise<void> {
  let reached: ReachedSite | undefined;
  try {
    reached = await reachSite({ profile: options.profile, keyFile: options.keys });
    if (options.user !== undefined) {
      const secret = await readSecret(options, { prompt: `Secret of ${options.user}` });
      await reached.client.session.signIn({ name: options.user, secret });
    }
    await act(reached);
  } catch (error) {
    printFailure(error, options.json === true);
  } finally {
    await reached?.close();
  }
}

/** The person's secret once more, for a signature (21 CFR 11.200). @throws CodedError USAGE without --user. */
export async function signingSecret(options: SiteCommandOptions): Promise<string> {
  if (options.user === undefined) throw new CliError('USAGE', 'Say in whose name: --user NAME.');
  return readSecret(options, { prompt: `Secret of ${options.user}, to sign` });
}
