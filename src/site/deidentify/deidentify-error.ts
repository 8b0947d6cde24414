// Refusals of the de-identification stage.
import { CodedError } from '#base/coded-error.ts';

export type DeidentifyCode = 'BAD_IDENTIFIER' | 'LINK_UNREADABLE' | 'NO_INSTANCE_UID';
export class DeidentifyError extends CodedError<DeidentifyCode> {}
