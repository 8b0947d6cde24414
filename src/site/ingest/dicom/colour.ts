// Colour frames to RGB of 8 or 16 bits: YBR by the equations of PS3.3 C.7.6.3.1.2, palettes by their tables (C.7.9), segmented ones
// too. Grey frames have no colour and are refused here.
import { type Attributes, badValue } from './attributes.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import type { ImageDescription } from './image-description.ts';
import { type LookupDescriptor, readLookupDescriptor, readLookupEntries } from './modality-values.ts';
import type { PixelFrame, Samples } from './pixel-frame.ts';

/**
 * The red, green and blue samples of a colour frame, those of a pixel together.
 * @throws DicomRefusal DICOM_UNSUPPORTED_IMAGE, DICOM_BAD_VALUE
 */
export function toRgb(
  frame: PixelFrame,
  attributes: Attributes,
  description: ImageDescription,
): Uint8Array | Uint16Array {
  const { samples, photometricInterpretation } = frame;
  switch (photometricInterpretation) {
    case 'RGB':
      return unsigned(samples);
    case 'YBR_FULL':
    case 'YBR_FULL_422':
      return fromYbr(samples, fullRange);
    case 'YBR_PARTIAL_422':
    case 'YBR_PARTIAL_420':
      return fromYbr(samples, partialRange);
    case 'PALETTE COLOR':
      return fromPalette(samples, attributes, description);
    default:
      throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'PhotometricInterpretation');
  }
}

function unsigned(samples: Samples): Uint8Array | Uint16Array {
  if (samples instanceof Uint8Array || samples instanceof Uint16Array) return samples;
  throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'PixelRepresentation');
}

interface YbrRange {
  readonly black: number;
  readonly luma: number;
  readonly chroma: number;
}

const fullRange: YbrRange = { black: 0, luma: 1, chroma: 1 };
/** ITU-R BT.601: luma from 16 to 235, chroma from 16 to 240. */
const partialRange: YbrRange = { black: 16, luma: 255 / 219, chroma: 255 / 224 };

function fromYbr(samples: Samples, { black, luma, chroma }: YbrRange): Uint8Array {
  // The equations are of 8 bits.
  if (!(samples instanceof Uint8Array)) throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'BitsAllocated');
  const rgb = new Uint8ClampedArray(samples.length);
  for (let at = 0; at + 2 < samples.length; at += 3) {
    const y = ((samples[at] ?? 0) - black) * luma;
    const blue = ((samples[at + 1] ?? 0) - 128) * chroma;
    const red = ((samples[at + 2] ?? 0) - 128) * chroma;
    rgb[at] = y + 1.402 * red;
    rgb[at + 1] = y - 0.344136 * blue - 0.714136 * red;
    rgb[at + 2] = y + 1.772 * blue;
  }
  return new Uint8Array(rgb.buffer);
}

const palettes = [
  { descriptor: 0x00281101, data: 0x00281201, segmented: 0x00281221 },
  { descriptor: 0x00281102, data: 0x00281202, segmented: 0x00281222 },
  { descriptor: 0x00281103, data: 0x00281203, segmented: 0x00281223 },
] as const;

function fromPalette(
  samples: Samples,
  attributes: Attributes,
  { isSigned }: ImageDescription,
): Uint8Array | Uint16Array {
  const tables = palettes.map((tags) => {
    const descriptor = readLookupDescriptor(attributes, tags.descriptor, isSigned);
    const entries = attributes.has(tags.data)
      ? readLookupEntries(attributes, tags.data, descriptor)
      : expandSegments(attributes, tags.segmented, descriptor);
    return { ...descriptor, entries };
  });
  const isWide = tables.some(({ bits }) => bits > 8);
  const rgb = isWide ? new Uint16Array(samples.length * 3) : new Uint8Array(samples.length * 3);
  for (const [colour, { entries, firstValue, entryCount }] of tables.entries()) {
    for (let pixel = 0; pixel < samples.length; pixel += 1) {
      const index = Math.min(entryCount - 1, Math.max(0, (samples[pixel] ?? 0) - firstValue));
      rgb[pixel * 3 + colour] = entries[index] ?? 0;
    }
  }
  return rgb;
}

/** Segmented palettes (PS3.3 C.7.9.2): discrete, linear and indirect segments; nothing is written past the table's end. */
function expandSegments(attributes: Attributes, tag: number, { entryCount }: LookupDescriptor): Uint16Array {
  const bytes = attributes.bytes(tag);
  if (bytes === null || bytes.length % 2 !== 0) throw badValue(tag);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Array.from({ length: bytes.length / 2 }, (_, index) =>
    view.getUint16(index * 2, attributes.isLittleEndian),
  );
  const entries: number[] = [];
  const expand = (from: number, segmentCount: number, isIndirect: boolean): void => {
    let at = from;
    for (let done = 0; done < segmentCount && at + 1 < words.length; done += 1) {
      const [kind = 3, length = 0] = words.slice(at, at + 2);
      // Attack: indirect segments that point at themselves, or runs that fill the memory.
      if (kind > 2 || (kind === 2 && isIndirect) || (kind !== 2 && entries.length + length > entryCount))
        throw badValue(tag);
      if (kind === 0) {
        entries.push(...words.slice(at + 2, at + 2 + length));
        at += 2 + length;
      } else if (kind === 1) {
        entries.push(...ramp(entries.at(-1), words[at + 2] ?? 0, length));
        at += 3;
      } else {
        const target = (words[at + 2] ?? 0) + (words[at + 3] ?? 0) * 0x10000;
        expand(target / 2, length, true);
        at += 4;
      }
    }
  };
  expand(0, words.length, false);
  if (entries.length !== entryCount) throw badValue(tag);
  return Uint16Array.from(entries);
}

function ramp(from: number | undefined, to: number, length: number): number[] {
  const start = from ?? to;
  return Array.from({ length }, (_, index) => Math.round(start + ((to - start) * (index + 1)) / length));
}
