// `consilium consortium status`: sites, invitations, research studies and rounds.
import type { Command } from 'commander';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { printResult } from '#cli/output.ts';
import type { ConsortiumStatus } from '#consortium/consortium.ts';

export function registerConsortiumStatus(consortium: Command): void {
  consortium.addCommand(
    consortiumCommand('status', 'sites, invitations, research studies and rounds').action(
      async (options: ConsortiumCommandOptions) => {
        await withConsortium(options, async (operations) => {
          printResult(options, { ok: true, ...(await operations.status({})) }, describe);
        });
      },
    ),
  );
}

function describe(status: ConsortiumStatus): string[] {
  const invitations = status.invitations.filter(({ state }) => state === 'open');
  return [
    `${status.name}${status.url === null ? '' : ` at ${status.url}`}, ${status.log.entryCount} log entries`,
    ...status.sites.map(({ siteId, name }) => `Site ${siteId}: ${name}`),
    ...invitations.map(({ siteId, expires }) => `Invited ${siteId}, until ${expires}`),
    ...status.researchStudies.map(({ researchStudyId, planVersion, models, rounds }) => {
      const open = rounds.find(({ state }) => state === 'open');
      const waiting =
        open === undefined ? 'no round open' : `round ${open.round} waits for ${open.missing.join(', ')}`;
      return `Research study ${researchStudyId}, plan ${planVersion}: model ${models.at(-1)?.round ?? 0}, ${waiting}`;
    }),
  ];
}
