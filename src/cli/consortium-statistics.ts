// `consilium consortium statistics`: what the sites released in the statistics round, together, and how they differ.
import type { Command } from 'commander';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { printResult } from '#cli/output.ts';
import type { PublishedStatistics } from '#consortium/consortium.ts';

interface StatisticsOptions extends ConsortiumCommandOptions {
  readonly researchStudy: string;
}

export function registerConsortiumStatistics(consortium: Command): void {
  consortium.addCommand(
    consortiumCommand('statistics', 'what the sites released, all together, and how they differ')
      .requiredOption('--research-study <id>', 'id of the research study')
      .action(async (options: StatisticsOptions) => {
        await withConsortium(options, async (operations) => {
          const { researchStudy: researchStudyId } = options;
          const { statistics } = await operations.statistics({ researchStudyId });
          printResult(options, { ok: true, statistics }, describe);
        });
      }),
  );
}

function describe({ statistics }: { readonly statistics: PublishedStatistics | null }): string[] {
  if (statistics === null) return ['No statistics are published of this research study.'];
  const { sites, pooled, comparison } = statistics;
  return [
    `${pooled.exampleCount} subjects of ${sites.map(({ siteId }) => siteId).join(', ')}`,
    ...pooled.features.map((feature) =>
      feature.counted === null ? describeMeasured(feature) : describeCounted(feature),
    ),
    comparison.length === 0 ? 'No site differs much from the others.' : 'To look at:',
    ...comparison.map(
      ({ siteId, feature, difference, found, others, conversion }) =>
        `${siteId} ${feature}: ${difference}, ${shown(found)} beside ${shown(others)}${conversion === null ? '' : ` (${conversion})`}`,
    ),
  ];
}

type PooledFeature = PublishedStatistics['pooled']['features'][number];

function describeCounted({ name, counted, missingCount }: PooledFeature): string {
  const { oneCount = null, exampleCount = 0, withheldBy = [] } = counted ?? {};
  return `${name}: ${oneCount ?? 'withheld'} of ${exampleCount}, ${missingCount} missing${withheld(withheldBy)}`;
}

function describeMeasured({
  name,
  mean,
  variance,
  measured,
  missingCount,
  momentsWithheldBy,
}: PooledFeature): string {
  const quantiles = (measured?.quantiles ?? []).map(({ estimate }) => shown(estimate)).join(' ');
  const deviation = variance === null ? null : Math.sqrt(variance);
  return `${name}: mean ${shown(mean)}, deviation ${shown(deviation)}, quantiles ${quantiles}, ${missingCount} missing${withheld(momentsWithheldBy)}`;
}

function shown(value: number | null): string {
  return value === null ? 'withheld' : String(Number(value.toPrecision(4)));
}

function withheld(siteIds: readonly string[]): string {
  return siteIds.length === 0 ? '' : `; without ${siteIds.join(', ')}`;
}
