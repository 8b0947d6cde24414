// `consilium site audit forward …`: sends the log to an audit record repository as it grows.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withOpenSite } from '#cli/site-command.ts';
import type { ForwardingStatus } from '#site/site.ts';

interface ReceiverOptions extends SiteCommandOptions {
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly tokenFile?: string;
}

export function forwardCommand(): Command {
  const forward = new Command('forward').description('send the log to an audit record repository (IHE ATNA)');
  forward.addCommand(
    receiverCommand('fhir', 'to a FHIR R4 server, which acknowledges every entry')
      .argument('<url>', 'base address, https')
      .option('--token-file <file>', 'file with the bearer token that the server asks for')
      .action((url: string, options: ReceiverOptions) => {
        const token = options.tokenFile === undefined ? null : readText(options.tokenFile).trim();
        return setReceiver(options, { kind: 'fhir', url, token });
      }),
  );
  forward.addCommand(
    receiverCommand('syslog', 'to a syslog receiver over TLS, which acknowledges nothing')
      .argument('<host:port>', 'for instance arr.example:6514')
      .action((address: string, options: ReceiverOptions) => {
        const split = address.lastIndexOf(':');
        const port = Number(address.slice(split + 1));
        return setReceiver(options, { kind: 'syslog', host: address.slice(0, Math.max(split, 0)), port });
      }),
  );
  forward.addCommand(
    personCommand('off', 'forward no more').action((options: SiteCommandOptions) =>
      withOpenSite(options, 'audit.forward', (site, actor) =>
        printResult(options, site.audit.forwarding.set(null, actor), describe),
      ),
    ),
  );
  forward.addCommand(
    personCommand('now', 'send what waits').action((options: SiteCommandOptions) =>
      withOpenSite(options, 'audit.forward', async (site) =>
        printResult(options, await site.audit.forwarding.forward(), describe),
      ),
    ),
  );
  forward.addCommand(
    personCommand('status', 'who receives the log, and what waits').action((options: SiteCommandOptions) =>
      withOpenSite(options, 'audit.forwarding', (site) =>
        printResult(options, site.audit.forwarding.status(), describe),
      ),
    ),
  );
  return forward;
}

function receiverCommand(name: string, description: string): Command {
  return personCommand(name, description)
    .option('--authority <file>', 'certificate (PEM) of who signed the receiver’s (default: the public ones)')
    .option('--certificate <file>', 'own certificate (PEM), for a receiver that asks for one')
    .option('--key <file>', 'its key (PEM)');
}

async function setReceiver(options: ReceiverOptions, receiver: object): Promise<void> {
  const pem = (file: string | undefined) => (file === undefined ? null : readText(file));
  await withOpenSite(options, 'audit.forward', (site, actor) => {
    const { authority, certificate, key } = options;
    const settings = { ...receiver, authority: pem(authority), certificate: pem(certificate), key: pem(key) };
    printResult(options, site.audit.forwarding.set(settings, actor), describe);
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CliError('USAGE', 'A file that an option names cannot be read.', { cause });
  }
}

function describe({ kind, receiver, acknowledged, waiting, lastCode }: ForwardingStatus): string {
  if (kind === null) return 'The log is not forwarded.';
  const failed = lastCode === null ? '' : `; the last try failed: ${lastCode}`;
  return `${kind} to ${receiver}: ${acknowledged} entries acknowledged, ${waiting} waiting${failed}`;
}
