// Where a command that acts for a person gets the secret: --secret-file, CONSILIUM_SECRET, or a prompt that shows nothing.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CliError } from '#cli/cli-error.ts';

export interface PersonOptions {
  readonly user?: string;
  readonly secretFile?: string;
}

export interface SecretQuestion {
  readonly prompt: string;
  /** Whether CONSILIUM_SECRET may answer. */
  readonly useEnvironment?: boolean;
}

/** @throws CliError USAGE when no secret is given and nobody is there to be asked. */
export async function readSecret(
  options: PersonOptions,
  { prompt, useEnvironment = true }: SecretQuestion,
): Promise<string> {
  if (options.secretFile !== undefined) {
    try {
      return readFileSync(options.secretFile, 'utf8').replace(/\r?\n$/, '');
    } catch (cause) {
      throw new CliError('USAGE', 'The secret file cannot be read.', { cause });
    }
  }
  const fromEnvironment = useEnvironment ? process.env.CONSILIUM_SECRET : undefined;
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  if (!process.stdin.isTTY) {
    throw new CliError(
      'USAGE',
      'A secret is needed: --secret-file FILE, CONSILIUM_SECRET, or a terminal to ask in.',
    );
  }
  return askHidden(prompt);
}

function askHidden(prompt: string): Promise<string> {
  process.stderr.write(`${prompt}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve) => {
    terminal.question('', (answer) => {
      terminal.close();
      process.stderr.write('\n');
      resolve(answer);
    });
  });
}
