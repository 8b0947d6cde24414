// Refusals of an update that is well signed but does not belong here, now, or within the plan (security.md A4, E5, E6, E17).
import { CodedError } from '#base/coded-error.ts';

export type IntakeCode =
  | 'STALE_ROUND'
  | 'WRONG_BASE'
  | 'MIXUP'
  | 'WRONG_PLAN'
  | 'NOT_A_PARTICIPANT'
  | 'OUT_OF_POLICY'
  | 'BAD_TENSORS'
  | 'BROKEN_CHAIN'
  | 'LOG_ROLLBACK'
  | 'ALREADY_RECEIVED';

/** `details.field` names the claim that was refused. */
export class IntakeError extends CodedError<IntakeCode> {}

/** A refusal that names the claim, what was expected and what was found. */
export function refusal(
  code: IntakeCode,
  field: string,
  { expected, found }: { expected: unknown; found: unknown },
): IntakeError {
  return new IntakeError(code, sentences[code], { details: { field, expected, found } });
}

const sentences: Readonly<Record<IntakeCode, string>> = {
  STALE_ROUND: 'The update is for a round that is not open.',
  WRONG_BASE: 'The update was made from another model than the round starts from.',
  MIXUP: 'The update belongs to another site, research study or bundle.',
  WRONG_PLAN: 'The update was made under another plan than the one in force.',
  NOT_A_PARTICIPANT: 'The round does not ask this site.',
  OUT_OF_POLICY: 'The update breaks a limit of the plan.',
  BAD_TENSORS: 'The tensors are not those that the round asks for.',
  BROKEN_CHAIN: 'The update does not name the one that was last received from this site.',
  LOG_ROLLBACK: "The site's log does not continue the one that was seen before.",
  ALREADY_RECEIVED: 'Another update of this site was received for this round.',
};
