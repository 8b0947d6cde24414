// What the command-line parser refuses, as the one error shape of the house.
import type { Command, CommanderError } from 'commander';
import { CliError } from '#cli/cli-error.ts';

const parserCode = /^commander\./;

/**
 * Makes every command throw instead of ending the process. With `json` nothing is written for a refusal: the caller prints
 * the one document.
 */
export function takeOverExit(command: Command, json: boolean): void {
  command.exitOverride();
  if (json) command.configureOutput({ writeErr: () => {} });
  for (const child of command.commands) takeOverExit(child, json);
}

/** What commander refused, with its reason (`missingMandatoryOptionValue`, `unknownCommand`, ...) in the details. */
export function usageError({ code, message }: CommanderError): CliError {
  const reason = code.replace(parserCode, '');
  return new CliError('USAGE', message.replace(/^error: /, ''), { details: { reason } });
}
