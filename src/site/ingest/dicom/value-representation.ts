// The value representations of PS3.5 6.2 and how an explicit data set writes each: with a length of 16 bits, or of 32 (PS3.5 7.1.2).

export interface ValueRepresentation {
  readonly name: string;
  /** Whether two reserved bytes and a length of 32 bits follow. */
  readonly isLong: boolean;
}

const longVrs = 'OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' ');
const shortVrs = 'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' ');

/** Two letters as one number, the first in the high byte. */
const codeOf = (name: string): number => name.charCodeAt(0) * 0x100 + name.charCodeAt(1);

const byCode = new Map<number, ValueRepresentation>([
  ...longVrs.map((name): [number, ValueRepresentation] => [codeOf(name), { name, isLong: true }]),
  ...shortVrs.map((name): [number, ValueRepresentation] => [codeOf(name), { name, isLong: false }]),
]);

/** The value representation whose letters stand at `offset`, if they are any. */
export function representationAt(bytes: Buffer, offset: number): ValueRepresentation | undefined {
  return byCode.get(bytes.readUInt16BE(offset));
}
