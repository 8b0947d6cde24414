// Values of Explicit VR Big Endian turned into little endian: by VR, word by word (PS3.5 7.3).

/** Bytes of one word of a VR that has words. */
export const wordBytes: Readonly<Record<string, number>> = {
  AT: 2,
  FD: 8,
  FL: 4,
  OD: 8,
  OF: 4,
  OL: 4,
  OV: 8,
  OW: 2,
  SL: 4,
  SS: 2,
  SV: 8,
  UL: 4,
  US: 2,
  UV: 8,
};

/** The value in the other byte order: the same bytes where the VR has no words. A broken last word stays as it is. */
export function swapWords(bytes: Uint8Array, vr: string): Uint8Array {
  const size = wordBytes[vr];
  if (size === undefined) return bytes;
  const swapped = Buffer.from(bytes);
  const whole = swapped.subarray(0, swapped.length - (swapped.length % size));
  if (size === 2) whole.swap16();
  else if (size === 4) whole.swap32();
  else whole.swap64();
  return swapped;
}
