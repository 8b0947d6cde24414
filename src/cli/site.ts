// `consilium site …`: the sub-commands of one hospital's node.
import type { Command } from 'commander';
import { registerAuditCommands } from '#cli/site-audit.ts';
import { registerBundle } from '#cli/site-bundle.ts';
import { registerCohort } from '#cli/site-cohort.ts';
import { registerConsent } from '#cli/site-consent.ts';
import { registerDoctor } from '#cli/site-doctor.ts';
import { registerEnrol } from '#cli/site-enrol.ts';
import { registerIngest } from '#cli/site-ingest.ts';
import { registerInit } from '#cli/site-init.ts';
import { registerMapping } from '#cli/site-mapping.ts';
import { registerPeople } from '#cli/site-people.ts';
import { registerQuality } from '#cli/site-quality.ts';
import { registerQuarantine } from '#cli/site-quarantine.ts';
import { registerRecords } from '#cli/site-records.ts';
import { registerReview } from '#cli/site-review.ts';
import { registerRound } from '#cli/site-round.ts';
import { registerServe } from '#cli/site-serve.ts';
import { registerSource } from '#cli/site-source.ts';
import { registerStatus } from '#cli/site-status.ts';
import { registerSync } from '#cli/site-sync.ts';

export function registerSite(program: Command): void {
  const site = program.command('site').description('the node of one hospital');
  registerInit(site);
  registerPeople(site);
  registerEnrol(site);
  registerServe(site);
  registerStatus(site);
  registerDoctor(site);
  registerIngest(site);
  registerMapping(site);
  registerSource(site);
  registerQuarantine(site);
  registerRecords(site);
  registerConsent(site);
  registerCohort(site);
  registerQuality(site);
  registerRound(site);
  registerReview(site);
  registerSync(site);
  registerBundle(site);
  registerAuditCommands(site);
}
