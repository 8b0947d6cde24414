// `consilium consortium enrol SITE`: makes a one-time invitation for a hospital.
import type { Command } from 'commander';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { printResult } from '#cli/output.ts';

export function registerConsortiumEnrol(consortium: Command): void {
  consortium.addCommand(
    consortiumCommand('enrol', 'make a one-time invitation for a hospital')
      .argument('<site>', 'id that the hospital will have: a-z, 0-9, - and _')
      .requiredOption('--name <name>', 'name of the hospital')
      .action(async (siteId: string, options: ConsortiumCommandOptions & { name: string }) => {
        await withConsortium(options, async (operations) => {
          const made = await operations.invite({ siteId, name: options.name });
          printResult(options, { ok: true, ...made }, () => [
            made.invitation,
            `For ${made.name} (${made.siteId}) alone; works once, until ${made.expires}. Hand it over on a safe way.`,
          ]);
        });
      }),
  );
}
