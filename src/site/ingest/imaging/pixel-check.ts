// Whether an image is whole: native pixels by their exact length, compressed ones by decoding them, for two
// seconds at most: no file comes in of which a frame is missing, or broken among those that were decoded.
import { type DicomFile, findElement, isEncapsulated } from '#site/deidentify/index.ts';
import { openImage } from '../dicom/decode-frame.ts';
import { DicomRefusal } from '../dicom/dicom-refusal.ts';

const pixelData = 0x7fe00010;
/** A film of thousands of frames is decoded in part: what is left has proven lengths and the right number of frames. */
const longestMs = 2_000;

/** @throws DicomRefusal what `openImage` and `decodeFrame` throw; DICOM_NO_IMAGE. */
export async function checkPixels(file: DicomFile): Promise<void> {
  const image = openImage(file);
  if (image === null) throw new DicomRefusal('DICOM_NO_IMAGE');
  const element = findElement(file.dataSet, pixelData);
  if (element === undefined || !isEncapsulated(element)) return;
  const { frameCount } = image.description;
  const startedMs = performance.now();
  for (const frame of spreadOut(frameCount)) {
    await image.decodeFrame(frame);
    if (performance.now() - startedMs > longestMs) return;
  }
}

/** Every index once: the last, the first, then the middles between them. */
export function* spreadOut(count: number): Generator<number> {
  const seen = new Set<number>();
  for (let parts = 1; seen.size < count; parts *= 2) {
    for (let part = parts; part >= 0; part -= 1) {
      const index = Math.floor(((count - 1) * part) / parts);
      if (seen.has(index)) continue;
      seen.add(index);
      yield index;
    }
  }
}
