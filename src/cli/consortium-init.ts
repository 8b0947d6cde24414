// `consilium consortium init`: makes a profile, its keys and the first trust list.
import type { Command } from 'commander';
import { type ConsortiumCommandOptions, consortiumCommand } from '#cli/consortium-command.ts';
import { printFailure, printResult } from '#cli/output.ts';
import { initialiseConsortium } from '#consortium/consortium.ts';

export function registerConsortiumInit(consortium: Command): void {
  consortium.addCommand(
    consortiumCommand('init', 'make a profile, its keys and the first trust list')
      .option('--name <name>', 'name of the consortium', 'Consilium Consortium')
      .option(
        '--url <url>',
        'where sites reach it, https://HOST:PORT; without it, the address that serve listens at',
      )
      .action(async (options: ConsortiumCommandOptions & { name: string; url?: string }) => {
        try {
          const { profile, keys: keyFile, name, url } = options;
          const made = await initialiseConsortium({ profile, keyFile, name, url });
          printResult(options, { ok: true, ...made }, () => [
            `The consortium "${made.name}" is made. Keep its key file safe: it is not in the profile.`,
            `Root key ${made.rootKeyId}`,
            'Next: consilium consortium serve.',
          ]);
        } catch (error) {
          printFailure(error, options.json === true);
        }
      }),
  );
}
