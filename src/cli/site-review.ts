// `consilium site review | approve | refuse UPDATE`: the steward's decision on exactly those bytes.
import type { Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { printResult } from '#cli/output.ts';
import { describeStatistics } from '#cli/reported-statistics.ts';
import { personCommand, type SiteCommandOptions, signingSecret, withSite } from '#cli/site-command.ts';
import type { SiteClient } from '#headless/reach-site.ts';
import type { UpdateReview } from '#ipc/schema.ts';

interface DecisionOptions extends SiteCommandOptions {
  /** Digest of the report that was read; without it the report is shown first, to whoever sits at the terminal. */
  readonly report?: string;
}

export function registerReview(site: Command): void {
  site.addCommand(
    personCommand('updates', 'list the updates and their states').action(
      async (options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          printResult(options, await client.updates.list(), (list) =>
            list.map(
              ({ updateId, round, kind, state }) => `${state.padEnd(9)} round ${round} ${kind}  ${updateId}`,
            ),
          );
        });
      },
    ),
  );
  site.addCommand(
    personCommand('review', 'what an update would disclose')
      .argument('<update>', 'update id')
      .action(async (updateId: string, options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          printResult(options, await client.updates.review({ updateId }), describe);
        });
      }),
  );
  site.addCommand(
    personCommand('approve', "sign that exactly this update may leave, in the steward's own name")
      .argument('<update>', 'update id')
      .option('--report <digest>', 'digest of the disclosure report that was read')
      .action(async (updateId: string, options: DecisionOptions) => {
        await withSite(options, async ({ client }) => {
          const reportDigest = options.report ?? (await showReport(client, updateId));
          const secret = await signingSecret(options);
          const summary = await client.updates.approve({ updateId, reportDigest, secret });
          printResult(options, summary, () => `Approved by ${options.user}: ${updateId}`);
        });
      }),
  );
  site.addCommand(
    personCommand('refuse', 'sign that this update may not leave')
      .argument('<update>', 'update id')
      .requiredOption('--reason <text>', 'why')
      .option('--report <digest>', 'digest of the disclosure report that was read')
      .action(async (updateId: string, options: DecisionOptions & { reason: string }) => {
        await withSite(options, async ({ client }) => {
          const reportDigest = options.report ?? (await showReport(client, updateId));
          const secret = await signingSecret(options);
          const summary = await client.updates.refuse({
            updateId,
            reportDigest,
            reason: options.reason,
            secret,
          });
          printResult(options, summary, () => `Refused by ${options.user}: ${updateId}`);
        });
      }),
  );
}

/**
 * Shows the report before the secret is asked for, and gives its digest: nobody signs that they have read what was not on a
 * screen (21 CFR 11.50).
 * @throws CliError USAGE where nobody is there to read it.
 */
async function showReport(client: SiteClient, updateId: string): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CliError(
      'USAGE',
      'Read the report first ("site review") and give its digest: --report DIGEST.',
    );
  }
  const review = await client.updates.review({ updateId });
  process.stderr.write(`${describe(review).join('\n')}\n`);
  return review.reportDigest;
}

const loss = (value: number | null): string => value?.toFixed(4) ?? 'none';
const shown = (count: number | null): string => (count === null ? 'withheld' : String(count));

/** Epsilon is never told without delta, unit and adjacency. */
function describePrivacy(privacy: UpdateReview['report']['privacy']): string[] {
  if (privacy === undefined) return [];
  const { epsilonThisRound, epsilonTotal, epsilonBudget, delta, unit, adjacency, accountant } = privacy;
  const above = privacy.isAboveWarning ? '; above what is called a strong promise' : '';
  return [
    `Differential privacy: epsilon ${epsilonThisRound.toPrecision(4)} for this round, ${epsilonTotal.toPrecision(4)} in all, of at most ${epsilonBudget}${above}`,
    `  at delta ${delta}, unit ${unit}, adjacency ${adjacency}, accountant ${accountant}`,
  ];
}

function describe({ report, reportDigest }: UpdateReview): string[] {
  return [
    `Round ${report.round} (${report.roundKind}) of ${report.researchStudyId}`,
    `Plan version ${report.plan.version}, sha256 ${report.plan.digest}`,
    `Leaves, sealed: ${report.payloadBytes} bytes of numbers (sha256 ${report.payloadDigest}), with the counts, losses and digests below`,
    ...report.tensors.map(
      ({ name, dtype, shape, l2Norm }) =>
        `  ${name} ${dtype}[${shape.join(', ')}]  L2 norm ${l2Norm.toPrecision(4)}`,
    ),
    ...describeStatistics(report.statistics),
    `From ${report.patientCount} patients, ${report.exampleCount} examples; norm ${report.l2Norm.toPrecision(4)} of at most ${report.maxUpdateNorm}`,
    ...describePrivacy(report.privacy),
    `Loss ${loss(report.metrics.lossBefore)} before, ${loss(report.metrics.lossAfter)} after`,
    report.sinceLast === null
      ? "This site's first update of this kind"
      : `Since round ${report.sinceLast.round}: norm ${report.sinceLast.l2NormRatio.toFixed(2)} times, number of examples ${report.sinceLast.exampleCountChanged ? 'changed' : 'the same'}`,
    `Sealed for ${report.recipient.consortium}, key ${report.recipient.keyId}`,
    `Consents checked ${report.consent.evaluatedAt}; training ${shown(report.selection.trainingCount)}, holdout ${shown(report.selection.holdoutCount)}`,
    ...report.selection.excluded.map(({ reason, count }) => `  left out: ${shown(count)} ${reason}`),
    ...report.notices.map((notice) => `Notice: ${notice}`),
    `Report ${reportDigest}`,
  ];
}
