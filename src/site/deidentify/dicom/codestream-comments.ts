// Comments inside compressed images: JPEG and JPEG-LS COM and application segments (ITU-T T.81 B.2.4), JPEG 2000 COM (T.800 A.9.2).
// Scanners and converters write names there; a table of attributes does not see them. Lengths stay, the text becomes zeros.

/** Application segments that decoders need: JFIF, SPIFF and colour of JPEG-LS, Adobe's colour transform. */
const neededSegments = new Set([0xe0, 0xe8, 0xee]);

/** The fragment with its comments blanked; the same array where it has none, or is of another kind. */
export function withoutComments(fragment: Uint8Array): Uint8Array {
  if (fragment[0] !== 0xff) return fragment;
  if (fragment[1] === 0xd8) return blank(fragment, isJpegText, 0xda);
  if (fragment[1] === 0x4f) return blank(fragment, (marker) => marker === 0x64, 0x90);
  return fragment;
}

function isJpegText(marker: number): boolean {
  return marker === 0xfe || (marker >= 0xe0 && marker <= 0xef && !neededSegments.has(marker));
}

/** @param lastMarker where the coded samples begin */
function blank(fragment: Uint8Array, isText: (marker: number) => boolean, lastMarker: number): Uint8Array {
  let cleaned = fragment;
  let at = 2;
  while (at + 4 <= fragment.length && fragment[at] === 0xff) {
    const marker = fragment[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === lastMarker) break;
    const length = ((fragment[at + 2] ?? 0) << 8) | (fragment[at + 3] ?? 0);
    if (length < 2) break;
    if (isText(marker)) {
      // A Buffer's slice is no copy.
      if (cleaned === fragment) cleaned = new Uint8Array(fragment);
      // The kind of a JPEG 2000 comment stays: two bytes that say whether it is text.
      cleaned.fill(0, at + 4 + (marker === 0x64 ? 2 : 0), Math.min(at + 2 + length, fragment.length));
    }
    at += 2 + length;
  }
  return cleaned;
}
