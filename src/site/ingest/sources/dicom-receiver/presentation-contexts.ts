// Which presentation contexts the receiver takes: verification, and every storage SOP class in every transfer syntax of the standard.
// The first transfer syntax that the caller proposes is kept: the receiver never transcodes.
import type { AnsweredContext, ProposedContext } from './pdu.ts';

export const verificationClass = '1.2.840.10008.1.1';
export const dicomApplicationContext = '1.2.840.10008.3.1.1.1';
export const implicitLittleEndian = '1.2.840.10008.1.2';

/** Every storage class of the standard, RT delivery instructions included (PS3.4 Annex B and I). */
const storageClass = /^1\.2\.840\.10008\.5\.1\.4\.(1\.1\.[\d.]+|34\.(7|10))$/;

/** PS3.6 Table A-1, and PS3.5 Annex A: what the ingest reads, or quarantines by name. */
const transferSyntax =
  /^1\.2\.840\.10008\.1\.2(\.1|\.1\.98|\.1\.99|\.2|\.4\.(5[0-9]|6[0-6]|70|8[01]|9[0-3]|10[0-9](\.1)?|11[0-2]|20[1-5])|\.5|\.8\.1)?$/;

export interface AcceptedContext {
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}

export function isStorageClass(uid: string): boolean {
  return storageClass.test(uid);
}

/** Answers each proposed context, and gives those that stand by their id. */
export function answerContexts(proposed: readonly ProposedContext[]): {
  answers: AnsweredContext[];
  accepted: Map<number, AcceptedContext>;
} {
  const accepted = new Map<number, AcceptedContext>();
  const answers = proposed.map(({ id, abstractSyntax, transferSyntaxes }): AnsweredContext => {
    const isVerification = abstractSyntax === verificationClass;
    const found = transferSyntaxes.find((uid) => transferSyntax.test(uid));
    if (!isVerification && !storageClass.test(abstractSyntax))
      return { id, result: 3, transferSyntax: implicitLittleEndian };
    if (found === undefined || accepted.has(id))
      return { id, result: 4, transferSyntax: implicitLittleEndian };
    accepted.set(id, { abstractSyntax, transferSyntax: found });
    return { id, result: 0, transferSyntax: found };
  });
  return { answers, accepted };
}
