// A mask of a slice in few bytes, as it lies in memory while a run lasts: the runs of pixels that are set, or a bit for each pixel where
// those are fewer. Forty thousand slices of a tumour take some twenty megabytes.

export interface PackedMask {
  /** `runs`: first pixel and the one behind the last, of each run; `bits`: the first pixel lowest. */
  readonly kind: 'runs' | 'bits';
  readonly words: Uint32Array;
}

/** @param mask 0 or 1, row by row; undefined comes back where nothing is set */
export function packMask(mask: Uint8Array): PackedMask | undefined {
  const mostWords = Math.ceil(mask.length / 32);
  const runs: number[] = [];
  for (let at = 0; at < mask.length; at += 1) {
    if (mask[at] === 1 && mask[at - 1] !== 1) runs.push(at);
    if (mask[at] === 1 && mask[at + 1] !== 1) runs.push(at + 1);
    if (runs.length > mostWords) return { kind: 'bits', words: packBits(mask) };
  }
  return runs.length === 0 ? undefined : { kind: 'runs', words: Uint32Array.from(runs) };
}

function packBits(mask: Uint8Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(mask.length / 32));
  for (const [at, pixel] of mask.entries())
    if (pixel === 1) words[at >>> 5] = (words[at >>> 5] ?? 0) | (1 << (at & 31));
  return words;
}

/** Sets the pixels of a mask to 1 and leaves the others as they are: several are joined. */
export function drawMask({ kind, words }: PackedMask, target: Float32Array): void {
  if (kind === 'runs') {
    for (let at = 0; at < words.length; at += 2) target.fill(1, words[at], words[at + 1]);
    return;
  }
  for (let at = 0; at < target.length; at += 1)
    if ((((words[at >>> 5] ?? 0) >>> (at & 31)) & 1) === 1) target[at] = 1;
}
