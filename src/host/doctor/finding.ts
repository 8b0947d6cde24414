// What one check of the doctor found: its state, its cause by code, and the next step.

export type DoctorCode =
  | 'CLOCK_UNCHECKED'
  | 'CLOCK_WRONG'
  | 'DISK_ALMOST_FULL'
  | 'ENGINE_BROKEN'
  | 'ENGINE_SLOW'
  | 'MACHINE_HOT'
  | 'MEMORY_LOW'
  | 'ON_BATTERY'
  | 'PROFILE_MISSING'
  | 'PROFILE_NOT_ANSWERING'
  | 'SITE_NOT_ENROLLED'
  | 'TENSORFLOW_NOT_SET_UP';

export type CheckName =
  | 'profile'
  | 'keys'
  | 'store'
  | 'tensorflow'
  | 'engine'
  | 'memory'
  | 'disk'
  | 'power'
  | 'consortium'
  | 'clock';

export interface Finding {
  readonly check: CheckName;
  /** `notice`: the site works, and could be better off. */
  readonly state: 'ok' | 'notice' | 'problem';
  /** A DoctorCode, or the code of the refusal that the check met; null where all is well. See docs/errors.md. */
  readonly code: string | null;
  readonly message: string;
  /** Null where there is nothing to do. */
  readonly nextStep: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export function sound(check: CheckName, message: string, details: Finding['details'] = {}): Finding {
  return { check, state: 'ok', code: null, message, nextStep: null, details };
}

interface Trouble extends Pick<Finding, 'message' | 'nextStep'> {
  readonly code: DoctorCode;
  readonly details?: Finding['details'];
}

export function notice(check: CheckName, { details = {}, ...trouble }: Trouble): Finding {
  return { check, state: 'notice', ...trouble, details };
}

export function problem(check: CheckName, { details = {}, ...trouble }: Trouble): Finding {
  return { check, state: 'problem', ...trouble, details };
}
