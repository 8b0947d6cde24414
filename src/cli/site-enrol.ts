// `consilium site enrol INVITATION`: joins a consortium.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { printResult } from '#cli/output.ts';
import { readSecret } from '#cli/person-secret.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';

interface EnrolOptions extends SiteCommandOptions {
  readonly steward: readonly string[];
}

export function registerEnrol(site: Command): void {
  site.addCommand(
    personCommand('enrol', 'join the consortium that wrote the invitation')
      .argument(
        '<invitation>',
        '@FILE that holds the invitation (or its text, which others on this machine could see in the process list)',
      )
      .option(
        '--steward <name[=file]>',
        'a steward of this site, with a file that holds the secret; once for each',
        (value: string, before: readonly string[]) => [...before, value],
        [],
      )
      .action(async (given: string, options: EnrolOptions) => {
        await withSite(options, async ({ client }) => {
          const invitation = given.startsWith('@') ? readInvitation(given.slice(1)) : given;
          const stewards = await readStewards(options.steward);
          const enrolled = await client.enrolment.accept({ invitation, stewards });
          printResult(options, enrolled, () => `Enrolled as ${enrolled.siteId} with ${enrolled.consortium}.`);
        });
      }),
  );
}

/** Each steward's own key signs the request, so each steward's secret is needed. */
async function readStewards(given: readonly string[]): Promise<{ name: string; secret: string }[]> {
  if (given.length === 0)
    throw new CliError('USAGE', 'Name every steward of this site: --steward NAME[=FILE].');
  const stewards: { name: string; secret: string }[] = [];
  for (const text of given) {
    const [name = '', file] = text.split('=', 2);
    stewards.push({
      name,
      secret: await readSecret(file === undefined ? {} : { secretFile: file }, {
        prompt: `Secret of ${name}`,
      }),
    });
  }
  return stewards;
}

function readInvitation(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new CliError('USAGE', 'The invitation file cannot be read.', { cause });
  }
}
