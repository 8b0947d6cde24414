// The one error shape of the house: a code a program can act on and a message without identifiers or tag values.

/** A refusal or fault with a closed set of codes. One subclass per stage. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  /** What was expected and found, by name. Never a patient's data, never a path. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

export interface CodedErrorOptions {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A broken invariant of ours. Thrown where code is wrong, caught only at the edge of a process. */
export class BugError extends CodedError<'BUG'> {
  constructor(message: string, options: CodedErrorOptions = {}) {
    super('BUG', message, options);
  }
}

/** Whether `error` is a refusal with this code (or with any code when none is given). */
export function isCodedError(error: unknown, code?: string): error is CodedError {
  return error instanceof CodedError && (code === undefined || error.code === code);
}
