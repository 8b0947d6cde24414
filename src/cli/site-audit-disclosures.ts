// `consilium site audit disclosures SUBJECT`: what of one patient left the hospital, to whom, when and why (45 CFR 164.528).
import { type Command, Option } from 'commander';
import { printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withOpenSite } from '#cli/site-command.ts';
import { type Disclosure, disclosureAuditEvents, type NameReason, nameReasons } from '#site/site.ts';

interface DisclosureOptions extends SiteCommandOptions {
  readonly reason?: NameReason;
  readonly fhir?: true;
}

export function disclosuresCommand(): Command {
  return personCommand(
    'disclosures',
    'which updates made with a patient’s record left, to whom, when and why',
  )
    .argument('<subject>', 'subject id')
    .addOption(
      new Option('--reason <reason>', 'why an auditor asks for the name; logged').choices(nameReasons),
    )
    .option('--fhir', 'as FHIR AuditEvents, one a line (IHE BALP PrivacyDisclosure)')
    .action((subjectId: string, options: DisclosureOptions) =>
      withOpenSite(options, 'audit.disclosures', (site, actor) => {
        const account = site.audit.disclosures({ subjectId, nameReason: options.reason ?? null }, actor);
        if (options.fhir === true) {
          for (const event of disclosureAuditEvents(account, site.audit))
            printResult({ json: true }, event, () => '');
          return;
        }
        printResult(options, account, ({ patient, disclosures }) => [
          ...(patient === null ? [] : [`${patient.name ?? 'without a name'} (${patient.identifier})`]),
          ...disclosures.map(describe),
          `${disclosures.length} disclosures of ${subjectId}`,
        ]);
      }),
    );
}

function describe({ sentAt, receivedAt, recipient, update, purpose, approval }: Disclosure): string {
  const arrived = receivedAt === null ? 'may have arrived' : `received ${receivedAt}`;
  const approved =
    approval === null ? '' : `; approved by ${approval.person} at ${approval.decidedAt}: ${approval.meaning}`;
  return `${sentAt}  ${update.kind} of round ${update.round} to ${recipient.name} (${arrived}); for ${purpose.title}${approved}`;
}
