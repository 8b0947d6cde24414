// `consilium site sync`: fetches what the consortium published and sends what stewards approved.
import type { Command } from 'commander';
import { endRefused, printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';

export function registerSync(site: Command): void {
  site.addCommand(
    personCommand('sync', 'fetch what is new and send what is approved').action(
      async (options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          const result = await client.sync();
          printResult(options, result, ({ received, sent }) => [
            ...received.map(
              ({ record, round }) => `received ${record}${round === null ? '' : ` of round ${round}`}`,
            ),
            ...sent.map(
              ({ updateId, outcome, code, bytes }) =>
                `${outcome} ${updateId} (${bytes} bytes)${code === null ? '' : ` ${code}`}`,
            ),
            `${received.length} received, ${sent.length} sent`,
          ]);
          if (result.sent.some(({ outcome }) => outcome === 'refused')) endRefused();
        });
      },
    ),
  );
}
