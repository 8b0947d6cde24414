// `consilium site init`: makes a profile and its keys.
import type { Command } from 'commander';
import { parseTimeZone } from '#cli/option-parsers.ts';
import { printFailure, printResult } from '#cli/output.ts';
import { type SiteCommandOptions, siteCommand } from '#cli/site-command.ts';
import { initialiseHeadlessSite } from '#headless/open-headless-site.ts';

export function registerInit(site: Command): void {
  site.addCommand(
    siteCommand('init', 'make a profile and its keys')
      .requiredOption('--name <name>', 'name of the hospital')
      .option(
        '--time-zone <zone>',
        "the hospital's, e.g. Europe/Berlin; without it this machine's",
        parseTimeZone,
      )
      .action(async (options: SiteCommandOptions & { name: string; timeZone?: string }) => {
        try {
          await initialiseHeadlessSite({
            profile: options.profile,
            keyFile: options.keys,
            name: options.name,
            timeZone: options.timeZone,
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
