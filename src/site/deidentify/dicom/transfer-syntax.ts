// The transfer syntaxes that the structure of a file depends on (PS3.5 Annex A).

export const implicitLittleEndian = '1.2.840.10008.1.2';
export const explicitLittleEndian = '1.2.840.10008.1.2.1';
export const deflatedLittleEndian = '1.2.840.10008.1.2.1.99';
export const explicitBigEndian = '1.2.840.10008.1.2.2';

const nativeSyntaxes = new Set([
  implicitLittleEndian,
  explicitLittleEndian,
  deflatedLittleEndian,
  explicitBigEndian,
]);

/** The syntax that an object is written in: native ones as Explicit VR Little Endian, encapsulated ones as they are. */
export function writtenSyntaxOf(transferSyntaxUid: string): string {
  return nativeSyntaxes.has(transferSyntaxUid) ? explicitLittleEndian : transferSyntaxUid;
}
