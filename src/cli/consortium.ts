// `consilium consortium …`: the sub-commands of the coordinating server.
import type { Command } from 'commander';
import { registerConsortiumAudit } from '#cli/consortium-audit.ts';
import { registerConsortiumBundle } from '#cli/consortium-bundle.ts';
import { registerConsortiumEnrol } from '#cli/consortium-enrol.ts';
import { registerConsortiumInit } from '#cli/consortium-init.ts';
import { registerConsortiumPublish } from '#cli/consortium-publish.ts';
import { registerConsortiumRemedy } from '#cli/consortium-remedy.ts';
import { registerConsortiumRound } from '#cli/consortium-round.ts';
import { registerConsortiumServe } from '#cli/consortium-serve.ts';
import { registerConsortiumStatistics } from '#cli/consortium-statistics.ts';
import { registerConsortiumStatus } from '#cli/consortium-status.ts';

export function registerConsortium(program: Command): void {
  const consortium = program.command('consortium').description('the coordinating server');
  registerConsortiumInit(consortium);
  registerConsortiumServe(consortium);
  registerConsortiumEnrol(consortium);
  registerConsortiumPublish(consortium);
  registerConsortiumRound(consortium);
  registerConsortiumRemedy(consortium);
  registerConsortiumStatus(consortium);
  registerConsortiumStatistics(consortium);
  registerConsortiumBundle(consortium);
  registerConsortiumAudit(consortium);
}
