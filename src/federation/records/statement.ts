// The in-toto Statement v1 of a record: `subject` names bytes by their digest, `predicate` holds the claims about them.
import { z } from 'zod';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { MAX_ENVELOPE_BYTES } from '#federation/records/envelope.ts';
import { digestHex, plainText } from '#federation/records/fields.ts';
import type { RecordDefinition } from '#federation/records/record.ts';
import { RecordError } from '#federation/records/record-error.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

const statementJson = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(z.strictObject({ name: plainText(200), digest: z.strictObject({ sha256: digestHex }) }))
    .min(1)
    .max(100),
  predicateType: z.string().max(200),
  predicate: z.unknown(),
});

/** Bytes that a record speaks about. */
export interface Subject {
  readonly name: string;
  /** sha256, hexadecimal. */
  readonly digest: string;
}

export interface StatementContent<P> {
  /** First the payload. A record without one leaves this out and has its own predicate for a subject. */
  readonly subjects?: readonly Subject[];
  readonly predicate: P;
}

export interface Statement<P> {
  readonly subjects: readonly Subject[];
  readonly predicate: P;
}

/**
 * The statement as RFC 8785 JSON. What is encoded here passes `parseStatement`.
 * @throws RecordError BAD_STATEMENT when the predicate does not fit its definition.
 */
export function encodeStatement<P>(
  definition: RecordDefinition<P>,
  content: StatementContent<P>,
): Uint8Array {
  const subjects = content.subjects ?? [predicateSubject(definition, content.predicate)];
  const statement = encodeCanonicalJson({
    _type: STATEMENT_TYPE,
    subject: subjects.map(({ name, digest }) => ({ name, digest: { sha256: digest } })),
    predicateType: definition.predicateType,
    predicate: content.predicate,
  });
  parseStatement(definition, statement);
  return statement;
}

/**
 * @throws RecordError BAD_STATEMENT; WRONG_TYPE for a statement of another kind, so that a signature under one record is no
 * signature under another.
 */
export function parseStatement<P>(definition: RecordDefinition<P>, bytes: Uint8Array): Statement<P> {
  const statement = statementJson.safeParse(parseStrictJson(bytes, { maxBytes: MAX_ENVELOPE_BYTES }));
  if (!statement.success) throw badStatement(definition, statement.error);
  const { predicateType, subject } = statement.data;
  if (predicateType !== definition.predicateType) {
    throw new RecordError('WRONG_TYPE', 'The statement is of another kind.', {
      details: { expected: definition.predicateType, found: predicateType },
    });
  }
  const predicate = definition.predicate.safeParse(statement.data.predicate);
  if (!predicate.success) throw badStatement(definition, predicate.error);
  return {
    subjects: subject.map(({ name, digest }) => ({ name, digest: digest.sha256 })),
    predicate: predicate.data,
  };
}

function predicateSubject<P>(definition: RecordDefinition<P>, predicate: P): Subject {
  return { name: definition.name, digest: sha256Hex(encodeCanonicalJson(predicate)) };
}

/** Names the fields, not their values. */
function badStatement<P>(definition: RecordDefinition<P>, error: z.ZodError): RecordError {
  const fields = error.issues.slice(0, 5).map(({ path }) => path.join('.'));
  return new RecordError('BAD_STATEMENT', 'The statement does not have the fields it must have.', {
    details: { expected: definition.name, found: fields },
  });
}
