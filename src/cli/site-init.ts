// `consilium site init`: makes a profile and its keys.
import type { Command } from 'commander';
import { parseAuthority, parseTimeZone } from '#cli/option-parsers.ts';
import { printFailure, printResult } from '#cli/output.ts';
import { type SiteCommandOptions, siteCommand } from '#cli/site-command.ts';
import { initialiseHeadlessSite } from '#headless/open-headless-site.ts';

interface InitOptions extends SiteCommandOptions {
  readonly name: string;
  readonly timeZone?: string;
  /** False with --no-pixels. */
  readonly pixels: boolean;
  readonly identifierAuthority?: ReadonlyMap<string, string>;
}

export function registerInit(site: Command): void {
  site.addCommand(
    siteCommand('init', 'make a profile and its keys')
      .requiredOption('--name <name>', 'name of the hospital')
      .option(
        '--time-zone <zone>',
        "the hospital's, e.g. Europe/Berlin; without it this machine's",
        parseTimeZone,
      )
      .option(
        '--identifier-authority <name=uri>',
        'the name by which a source has an authority of patient numbers, and its URI here; repeatable',
        parseAuthority,
      )
      .option('--no-pixels', 'index images without keeping their pixels')
      .action(async (options: InitOptions) => {
        try {
          await initialiseHeadlessSite({
            profile: options.profile,
            keyFile: options.keys,
            name: options.name,
            timeZone: options.timeZone,
            identifierAuthorities: options.identifierAuthority,
            keepsPixels: options.pixels,
          });
          printResult(
            options,
            { ok: true, name: options.name },
            () => 'The profile is made. Next: consilium site people add.',
          );
        } catch (error) {
          printFailure(error, options.json === true);
        }
      }),
  );
}
