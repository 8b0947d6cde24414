// How every command ends: one JSON document or plain text on standard output, and an exit code that means one thing.
import { ORPCError } from '@orpc/client';
import { CodedError } from '#base/coded-error.ts';

/** 0 done, 1 refused or partly rejected, 2 wrong usage, 3 a bug. */
export type ExitCode = 0 | 1 | 2 | 3;

export interface OutputOptions {
  readonly json?: boolean;
}

/** Writes `document` as JSON when asked for, else the lines that `describe` makes of it. */
export function printResult<T>(
  options: OutputOptions,
  document: T,
  describe: (document: T) => string | readonly string[],
): void {
  if (options.json === true) process.stdout.write(`${JSON.stringify(document)}\n`);
  else process.stdout.write(`${[describe(document)].flat().join('\n')}\n`);
}

/** Says that the command did its work but refused a part of it. */
export function endRefused(): void {
  process.exitCode = 1;
}

/** Writes why a command failed and sets its exit code. */
export function printFailure(error: unknown, json: boolean): void {
  const { code, message, details, exitCode } = explain(error);
  if (json) process.stdout.write(`${JSON.stringify({ ok: false, error: { code, message, details } })}\n`);
  else process.stderr.write(`${code}: ${message}\n`);
  process.exitCode = exitCode;
}

interface Explanation {
  readonly code: string;
  readonly message: string;
  readonly details: unknown;
  readonly exitCode: ExitCode;
}

function explain(error: unknown): Explanation {
  if (error instanceof CodedError && error.code !== 'BUG') {
    return {
      code: error.code,
      message: error.message,
      details: error.details,
      exitCode: error.code === 'USAGE' ? 2 : 1,
    };
  }
  if (error instanceof ORPCError) {
    return {
      code: error.code,
      message: error.message,
      details: error.data ?? {},
      exitCode: error.code === 'BUG' ? 3 : 1,
    };
  }
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  process.stderr.write(
    `${error instanceof Error ? error.constructor.name : typeof error}\n${frames.join('\n')}\n`,
  );
  return { code: 'BUG', message: 'Something is wrong in Consilium itself.', details: {}, exitCode: 3 };
}
