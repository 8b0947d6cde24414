// `consilium consortium publish PLAN`: signs and publishes the plan of a research study.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { printFailure, printResult } from '#cli/output.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';

const MAX_PLAN_BYTES = 4 * 1024 * 1024;

export function registerConsortiumPublish(consortium: Command): void {
  consortium.addCommand(
    consortiumCommand('publish', 'sign and publish the plan of a research study')
      .argument('<plan>', 'JSON file with the plan')
      .action(async (file: string, options: ConsortiumCommandOptions) => {
        let plan: unknown;
        try {
          plan = parseStrictJson(readPlan(file), { maxBytes: MAX_PLAN_BYTES });
        } catch (error) {
          return printFailure(error, options.json === true);
        }
        await withConsortium(options, async (operations) => {
          const published = await operations.publishPlan({ plan });
          printResult(options, { ok: true, ...published }, () => [
            `Published ${published.researchStudyId}, version ${published.version}`,
            `Plan ${published.planDigest}`,
            `Model ${published.modelDigest}`,
          ]);
        });
      }),
  );
}

function readPlan(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new CliError('USAGE', 'The plan file cannot be read.', { cause });
  }
}
