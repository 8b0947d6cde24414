// The `consilium` command: parses arguments and hands over. Every sub-command is a file of its own beside this one.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { printFailure } from '#cli/output.ts';
import { takeOverExit, usageError } from '#cli/usage-error.ts';

/** First word -> the file that has it, so that a command loads nothing it does not need. */
async function registerGroup(program: Command, group: string | undefined): Promise<void> {
  if (group === 'site') (await import('#cli/site.ts')).registerSite(program);
  else if (group === 'consortium') (await import('#cli/consortium.ts')).registerConsortium(program);
  else if (group === 'audit') (await import('#cli/audit-verify.ts')).registerAudit(program);
  else if (group === 'demo') (await import('#cli/demo.ts')).registerDemo(program);
  else if (group === 'deidentify') (await import('#cli/deidentify.ts')).registerDeidentify(program);
  else if (group === 'privacy') (await import('#cli/privacy.ts')).registerPrivacy(program);
  else if (group === 'bench') (await import('#cli/bench.ts')).registerBench(program);
  else {
    for (const [name, description] of [
      ['demo', 'a whole federation of four real hospitals on this machine'],
      ['site', 'the node of one hospital'],
      ['consortium', 'the coordinating server'],
      ['deidentify', 'de-identify DICOM files into a new folder'],
      ['audit', 'verify an exported audit log offline'],
      ['privacy', 'what training with differential privacy promises'],
      ['bench', 'measure'],
    ] as const) {
      program.command(name).description(description);
    }
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

function endWithParserError(error: CommanderError, json: boolean): void {
  if (error.exitCode === 0) return;
  // In words commander has said it already.
  if (json) printFailure(usageError(error), json);
  else process.exitCode = 2;
}

const json = process.argv.includes('--json');
const program = new Command('consilium')
  .description('Hospitals train a model together while every patient record stays where it is.')
  .version(packageVersion(), '--version', 'print the version');
try {
  await registerGroup(program, process.argv[2]);
  takeOverExit(program, json);
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) endWithParserError(error, json);
  else printFailure(error, json);
}
