// The options that every `consilium site` command shares, and the way it reaches its site.
import { Command, Option } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { type OutputOptions, printFailure } from '#cli/output.ts';
import { type PersonOptions, readSecret } from '#cli/person-secret.ts';
import { openHeadlessSite } from '#headless/open-headless-site.ts';
import { type ReachedSite, reachSite } from '#headless/reach-site.ts';
import { checkedCall } from '#host/checked-call.ts';
import { type Actor, type Site, systemActor } from '#site/site.ts';

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

/**
 * Opens the profile itself, for what a running app is not asked for; the host's role check decides as always.
 * @param method as the role table names it
 */
export async function withOpenSite(
  options: SiteCommandOptions,
  method: string,
  act: (site: Site, actor: Actor) => void | Promise<void>,
): Promise<void> {
  let site: Site | undefined;
  try {
    site = await openHeadlessSite({ profile: options.profile, keyFile: options.keys });
    const actor = await signIn(site, options);
    checkedCall(site, method, actor);
    await act(site, actor);
  } catch (error) {
    printFailure(error, options.json === true);
  } finally {
    await site?.close();
  }
}

async function signIn(site: Site, options: SiteCommandOptions): Promise<Actor> {
  if (options.user === undefined) return systemActor;
  const secret = await readSecret(options, { prompt: `Secret of ${options.user}` });
  return site.session.signIn({ name: options.user, secret });
}

/** The person's secret once more, for a signature (21 CFR 11.200). @throws CodedError USAGE without --user. */
export async function signingSecret(options: SiteCommandOptions): Promise<string> {
  if (options.user === undefined) throw new CliError('USAGE', 'Say in whose name: --user NAME.');
  return readSecret(options, { prompt: `Secret of ${options.user}, to sign` });
}
