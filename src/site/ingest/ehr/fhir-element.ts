// Elements that many FHIR R4 resources share (hl7.org/fhir/R4/datatypes.html), as far as they are read.
import { z } from 'zod';

export const text = z.string().max(10_000).optional();
export const coding = z.object({ system: text, code: text });
export const codeableConcept = z.object({ coding: z.array(coding).max(100).optional() });
export const identifier = z.object({
  use: text,
  system: text,
  value: text,
  type: codeableConcept.optional(),
});
export const reference = z.object({ reference: text, type: text, identifier: identifier.optional() });
export const period = z.object({ start: text, end: text });
/** May turn the meaning round (R4 section 2.1.0.4.2): kept, so that it is not overlooked. */
export const modifierExtension = z.array(z.unknown()).max(1000).optional();
