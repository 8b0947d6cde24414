// `consilium site status`: what this site is, and what waits for a person.
import type { Command } from 'commander';
import { printResult } from '#cli/output.ts';
import { type SiteCommandOptions, siteCommand, withSite } from '#cli/site-command.ts';

export function registerStatus(site: Command): void {
  site.addCommand(
    siteCommand('status', 'what this site is and what waits for a person').action(
      async (options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          printResult(options, await client.status(), (status) => [
            `${status.name} (${status.siteId ?? 'not enrolled'})`,
            `${status.subjectCount} subjects, ${status.factCount} facts`,
            `${status.updatesToReview} updates wait for a steward, ${status.outboxCount} wait to be sent`,
          ]);
        });
      },
    ),
  );
}
