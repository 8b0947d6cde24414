// `consilium site cohort preview`: who would be in a round, counted, with small cells suppressed.
import type { Command } from 'commander';
import { printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';

const shown = (count: number | null): string => (count === null ? 'withheld' : String(count));

export function registerCohort(site: Command): void {
  const cohort = site.command('cohort').description('who is in and why');
  cohort.addCommand(
    personCommand('preview', 'count who would be in a round')
      .requiredOption('--research-study <id>', 'research study')
      .action(async (options: SiteCommandOptions & { researchStudy: string }) => {
        await withSite(options, async ({ client }) => {
          const preview = await client.cohort.preview({ researchStudyId: options.researchStudy });
          printResult(options, preview, ({ selection, features, meetsMinimum }) => [
            `${selection.subjectCount} subjects: ${shown(selection.trainingCount)} training, ${shown(selection.holdoutCount)} holdout`,
            ...selection.excluded.map(({ reason, count }) => `  left out: ${shown(count)} ${reason}`),
            ...features
              .filter(({ unitNotConvertibleCount }) => unitNotConvertibleCount !== 0)
              .map(
                ({ name, unitNotConvertibleCount }) =>
                  `  unit not convertible: ${shown(unitNotConvertibleCount)} ${name}`,
              ),
            meetsMinimum
              ? 'Large enough for the plan.'
              : 'Too small for the plan: nothing trains and nothing leaves.',
          ]);
        });
      }),
  );
}
