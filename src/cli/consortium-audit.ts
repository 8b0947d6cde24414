// `consilium consortium audit verify`: checks the log and makes every global model again from the received updates.
import type { Command } from 'commander';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { endRefused, printResult } from '#cli/output.ts';
import type { AuditVerification } from '#consortium/consortium.ts';

export function registerConsortiumAudit(consortium: Command): void {
  const audit = consortium.command('audit').description("the consortium's log");
  audit.addCommand(
    consortiumCommand(
      'verify',
      'check the log and make every global model again from the received updates',
    ).action(async (options: ConsortiumCommandOptions) => {
      await withConsortium(options, async (operations) => {
        const verification = await operations.verifyAudit({});
        printResult(options, { ok: verification.verified, ...verification }, describe);
        if (!verification.verified) endRefused();
      });
    }),
  );
}

function describe({ verified, log, models }: AuditVerification): string[] {
  const problem =
    log.problem === null
      ? []
      : [`Log: ${log.problem.code} at entry ${log.problem.seq ?? 'unknown'}: ${log.problem.message}`];
  const bad = models.filter((model) => model.problem !== null);
  return [
    verified ? 'Verified.' : 'NOT verified.',
    `${log.leafCount} log entries, ${log.checkpointCount} checkpoints, root ${log.rootHash}`,
    ...problem,
    `${models.length - bad.length} of ${models.length} global models were made again with the same digest.`,
    ...bad.map(
      ({ researchStudyId, round, problem: code }) => `Model of round ${round} of ${researchStudyId}: ${code}`,
    ),
  ];
}
