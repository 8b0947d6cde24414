// What a FHIR consent replaces and by which names others replace it (security.md C4): R4 Consent.identifier and sourceReference. What of
// them cannot be read names nothing.
import { z } from 'zod';
import type { SourceConsent } from '../clinical-record.ts';
import { identifier, reference, text } from './fhir-element.ts';

const elements = z.object({
  id: text.catch(undefined),
  identifier: z.array(identifier.catch({})).max(100).catch([]),
  sourceReference: reference.catch({}),
});

const resourceUrl =
  /^(?:https?:\/\/[^?#]+\/)?Consent\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const entryUrl = /^urn:(?:uuid|oid):([A-Za-z0-9.-]{1,64})$/;

interface ConsentEntry {
  /** The entry's fullUrl. */
  readonly fallbackId: string | null;
  /** Sorted; empty for the patient. */
  readonly givenBy: readonly string[];
}

/** An identifier without its system may be anybody's. */
export function readReplacement(
  resource: unknown,
  { fallbackId, givenBy }: ConsentEntry,
): Pick<SourceConsent, 'replacement'> {
  const { id, identifier: identifiers, sourceReference } = elements.parse(resource);
  const entryId = entryUrl.exec(fallbackId ?? '')?.[1];
  const names = [
    // In a bundle others may name it by its entry instead of its id.
    ...(entryId === undefined || entryId === id ? [] : [['fhir', 'Consent', entryId]]),
    ...identifiers.flatMap(identifierName),
  ];
  const replaced = sourceReference.reference ?? '';
  const named = (resourceUrl.exec(replaced) ?? entryUrl.exec(replaced))?.[1];
  const replaces = [
    ...(named === undefined ? [] : [['fhir', 'Consent', named]]),
    ...identifierName(sourceReference.identifier ?? {}),
  ];
  const isBare = names.length === 0 && replaces.length === 0 && givenBy.length === 0;
  return isBare ? {} : { replacement: { names, replaces, givenBy } };
}

function identifierName({ system = '', value = '' }: z.infer<typeof identifier>): string[][] {
  return system === '' || value === '' ? [] : [['identifier', system, value]];
}
