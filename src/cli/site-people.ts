// `consilium site people`: who may act at this site.
import { type Command, Option } from 'commander';
import { printResult } from '#cli/output.ts';
import { readSecret } from '#cli/person-secret.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { Role } from '#ipc/schema.ts';

export function registerPeople(site: Command): void {
  const people = site.command('people').description('who may act at this site');
  people.addCommand(
    personCommand('add', "add a person; the person's own secret protects the person's key")
      .argument('<person>', 'printed name, as it will stand on approvals')
      .addOption(
        new Option('--role <role>', 'what the person may do')
          .choices(['steward', 'investigator', 'auditor', 'admin'])
          .makeOptionMandatory(),
      )
      .option(
        '--new-secret-file <file>',
        "file with the new person's secret (else a prompt; without --user also CONSILIUM_SECRET)",
      )
      .action(async (name: string, options: SiteCommandOptions & { role: Role; newSecretFile?: string }) => {
        await withSite(options, async ({ client }) => {
          const newSecret = await readSecret(
            options.newSecretFile === undefined ? {} : { secretFile: options.newSecretFile },
            // With --user the environment holds the secret of the person who adds, not of the one who is added.
            { prompt: `New secret of ${name}`, useEnvironment: options.user === undefined },
          );
          const person = await client.people.add({ name, role: options.role, secret: newSecret });
          printResult(options, person, () => `Added ${person.name} as ${person.role}.`);
        });
      }),
  );
  people.addCommand(
    personCommand('list', 'list the people').action(async (options: SiteCommandOptions) => {
      await withSite(options, async ({ client }) => {
        printResult(options, await client.people.list(), (list) =>
          list.map(({ name, role }) => `${role.padEnd(13)} ${name}`),
        );
      });
    }),
  );
}
