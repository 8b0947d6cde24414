// `consilium audit verify DIR --trust FILE`: checks an exported log with public keys alone; opens no profile, writes nothing.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { fileBlocks } from '#base/file-blocks.ts';
import { CliError } from '#cli/cli-error.ts';
import { endRefused, type OutputOptions, printFailure, printResult } from '#cli/output.ts';
import {
  claimedOrigin,
  type ExportedLog,
  parseLogTrust,
  verifyExportedLog,
} from '#federation/log/exported-log.ts';
import type { LogVerification } from '#federation/log/verify-log.ts';

export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('verify an exported audit log offline');
  audit
    .command('verify')
    .argument('<dir>', 'folder that "site audit export" wrote')
    .requiredOption(
      '--trust <file>',
      'public keys of the logs you trust, got from elsewhere than from the export',
    )
    .option('--json', 'one JSON document on standard output')
    .action((directory: string, options: OutputOptions & { trust: string }) => {
      try {
        const result = verify(directory, options.trust);
        printResult(options, result, describe);
        if (!result.verified) endRefused();
      } catch (error) {
        printFailure(error, options.json === true);
      }
    });
}

function verify(directory: string, trustFile: string): LogVerification {
  const log: ExportedLog = {
    leaves: fileBlocks(path.join(directory, 'leaves.jsonl')),
    details: fileBlocks(path.join(directory, 'details.jsonl')),
    checkpoints: readable(() => readFileSync(path.join(directory, 'checkpoints.txt'))),
  };
  const origin = claimedOrigin(log);
  const logs = parseLogTrust(readable(() => readFileSync(trustFile, 'utf8')));
  const trust = logs.find((entry) => entry.origin === origin);
  if (trust === undefined)
    throw new CliError('LOG_NOT_TRUSTED', 'The trust file has no key for the log in this folder.');
  return readable(() => verifyExportedLog(log, trust));
}

function readable<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new CliError('USAGE', 'A file of the export or the trust file cannot be read.', { cause });
  }
}

function describe({ verified, leafCount, checkpointCount, problem }: LogVerification): string {
  return verified
    ? `Verified: ${leafCount} entries, ${checkpointCount} checkpoints.`
    : `NOT VERIFIED: ${problem?.code ?? ''} at entry ${problem?.seq ?? 'unknown'}. ${problem?.message ?? ''}`;
}
