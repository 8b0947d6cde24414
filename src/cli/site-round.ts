// `consilium site round run`: trains, and leaves a draft update with its disclosure report for a steward.
import type { Command } from 'commander';
import { printResult } from '#cli/output.ts';
import { showProgress } from '#cli/progress.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';

export function registerRound(site: Command): void {
  const round = site.command('round').description('take part in a round');
  round.addCommand(
    personCommand('run', 'run the open round; nothing leaves before a steward approves')
      .requiredOption('--research-study <id>', 'research study')
      .action(async (options: SiteCommandOptions & { researchStudy: string }) => {
        await withSite(options, async ({ client }) => {
          let updateId = '';
          for await (const event of await client.round.run({ researchStudyId: options.researchStudy })) {
            if (event.kind === 'progress')
              showProgress(`loss ${event.loss.toFixed(4)}`, event.step / Math.max(1, event.stepCount));
            else if (event.kind === 'done') updateId = event.updateId;
          }
          printResult(
            options,
            { ok: true, updateId },
            () => `A draft update waits for a steward: ${updateId}`,
          );
        });
      }),
  );
  round.addCommand(
    siteStatusCommand().action(async (options: SiteCommandOptions & { researchStudy: string }) => {
      await withSite(options, async ({ client }) => {
        printResult(
          options,
          await client.round.current({ researchStudyId: options.researchStudy }),
          (state) =>
            state.round === null
              ? 'No round is open.'
              : `Round ${state.round} of ${state.roundCount} (${state.kind}): ${state.state}`,
        );
      });
    }),
  );
}

function siteStatusCommand(): Command {
  return personCommand('status', 'the open round and what this site did in it').requiredOption(
    '--research-study <id>',
    'research study',
  );
}
