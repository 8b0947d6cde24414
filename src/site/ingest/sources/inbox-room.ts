// How much the inbox may hold: its own limit, and a rest of the disk that stays free for the store. Stops a sender from filling the disk.
import { statfs } from 'node:fs/promises';
import { InboxError } from './inbox-error.ts';

export interface InboxLimits {
  /** All sealed bytes that wait. */
  readonly maxBytes: number;
  /** What must stay free on the disk. */
  readonly minFreeBytes: number;
}

export const defaultInboxLimits: InboxLimits = { maxBytes: 16 * 2 ** 30, minFreeBytes: 2 ** 30 };

/** The disk is asked again after so many bytes. */
const askAgainBytes = 64 * 2 ** 20;

export class InboxRoom {
  /** Sealed bytes on the disk. */
  heldBytes = 0;
  readonly #folder: string;
  readonly #limits: InboxLimits;
  #freeBytes = 0;
  #sinceAsked = Number.POSITIVE_INFINITY;

  constructor(folder: string, limits: InboxLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Whether `bytes` more are within the inbox's own limit. */
  isWithin(bytes: number): boolean {
    return this.heldBytes + bytes <= this.#limits.maxBytes;
  }

  /** @throws InboxError INBOX_FULL where `bytes` more have no room. */
  async check(bytes: number): Promise<void> {
    if (!this.isWithin(bytes)) throw full(this.#limits.maxBytes, this.heldBytes);
    this.#sinceAsked += bytes;
    if (this.#sinceAsked >= askAgainBytes) {
      const { bavail, bsize } = await statfs(this.#folder);
      this.#freeBytes = bavail * bsize;
      this.#sinceAsked = bytes;
    }
    if (this.#freeBytes - this.#sinceAsked < this.#limits.minFreeBytes) {
      this.#sinceAsked = Number.POSITIVE_INFINITY;
      throw full(this.#limits.minFreeBytes, this.#freeBytes);
    }
  }
}

function full(expected: number, found: number): InboxError {
  return new InboxError('INBOX_FULL', 'The inbox has no room until what waits is imported.', {
    details: { expected, found },
  });
}
