// Reads whole files into memory that is used again and again: what a job's files leave behind is overwritten by the next job.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { DicomRefusal } from '../dicom/dicom-refusal.ts';

const slabBytes = 3 * 1_048_576;

/** Memory of one job. */
export class JobMemory {
  readonly #slab = Buffer.allocUnsafeSlow(slabBytes);
  #used = 0;

  clear(): void {
    this.#used = 0;
  }

  take(length: number): Buffer {
    if (this.#used + length > slabBytes) return Buffer.allocUnsafeSlow(length);
    const taken = this.#slab.subarray(this.#used, this.#used + length);
    // Numbers of a value are read where they stand: every file begins at a whole word.
    this.#used += (length + 15) & ~15;
    return taken;
  }
}

/**
 * The bytes of a plain file. A link or device put in its place since it was found is refused.
 * @throws DicomRefusal UNREADABLE, NOT_A_FILE, FILE_TOO_LARGE.
 */
export function readFileBytes(
  file: { readonly path: string; readonly isGiven: boolean },
  memory: JobMemory,
  maxFileBytes: number,
): Buffer {
  const noFollow = file.isGiven ? 0 : (constants.O_NOFOLLOW ?? 0);
  let descriptor: number;
  try {
    descriptor = openSync(file.path, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0));
  } catch {
    throw new DicomRefusal('UNREADABLE');
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new DicomRefusal('NOT_A_FILE');
    if (stat.size > maxFileBytes) throw new DicomRefusal('FILE_TOO_LARGE');
    const bytes = memory.take(stat.size);
    let done = 0;
    for (let count = 1; count > 0 && done < stat.size; done += count)
      count = readSync(descriptor, bytes, done, stat.size - done, null);
    return bytes.subarray(0, done);
  } catch (error) {
    throw error instanceof DicomRefusal ? error : new DicomRefusal('UNREADABLE');
  } finally {
    closeSync(descriptor);
  }
}
