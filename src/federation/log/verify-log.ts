// Checks a whole log against what its key signed and what others saw of it, and names the first entry at which something is
// wrong (security.md A5, A6). Pure: reads what it is given, writes nothing, needs no network.
import { equalBytes, toHex } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import {
  CLOCK_SET_BACK_ACTION,
  detailDigest,
  type Leaf,
  NO_LEAF_HASH,
  parseLeaf,
} from '#federation/log/leaf.ts';
import { type Anchor, readAnchors } from '#federation/log/log-anchors.ts';
import type { LogProblem, LogProblemCode, LogTrust } from '#federation/log/log-problem.ts';
import type { StoredDetail } from '#federation/log/log-storage.ts';
import { type CompactRange, createCompactRange, hashLeafText } from '#federation/log/merkle-tree.ts';

export type { LogProblem, LogProblemCode, LogTrust } from '#federation/log/log-problem.ts';

export interface LogMaterial {
  /** Lines in order; with the stored hash where there is one. */
  readonly leaves: Iterable<{ readonly line: string; readonly leafHash?: Uint8Array }>;
  /** By rising seq; null for one that cannot be read. An erased detail is simply absent. */
  readonly details: Iterable<StoredDetail | null>;
  /** Signed notes. */
  readonly checkpoints: readonly string[];
  readonly trust: LogTrust;
  /** A running log has entries after its last checkpoint; an exported one must not. */
  readonly isRunning: boolean;
}

export interface LogVerification {
  readonly verified: boolean;
  readonly leafCount: number;
  readonly checkpointCount: number;
  /** Root over all entries as they are; lower-case hexadecimal. */
  readonly rootHash: string;
  /** Entries that a good signature or a witness vouches for. */
  readonly vouchedCount: number;
  readonly erasedDetailCount: number;
  /** The first thing that is wrong. */
  readonly problem: LogProblem | null;
  /** What is to be known but breaks nothing (the first 100): a clock set back as the log itself says, an unsigned tail. */
  readonly notices: readonly LogProblem[];
}

const MAX_NOTICES = 100;

/** Verifies; never throws for a bad log. */
export function verifyLog(material: LogMaterial): LogVerification {
  const check = new LogCheck(material);
  for (const { line, leafHash } of material.leaves) check.leaf(line, leafHash);
  return check.finish();
}

interface LeafHashes {
  readonly hash: Uint8Array;
  readonly storedHash: Uint8Array | undefined;
}

class LogCheck {
  readonly #material: LogMaterial;
  readonly #tree: CompactRange = createCompactRange();
  readonly #problems: LogProblem[] = [];
  readonly #notices: LogProblem[] = [];
  readonly #anchors: readonly Anchor[];
  readonly #details: Iterator<StoredDetail | null>;
  #detail: IteratorResult<StoredDetail | null>;
  #nextAnchor = 0;
  #vouched = 0;
  /** Entries that the last agreeing witness saw: whoever forks a log signs what comes after the fork. */
  #witnessed = 0;
  #erased = 0;
  #previous: { readonly leaf: Leaf; readonly hash: Uint8Array } | undefined;
  /** A root that differed after the last entry; the next entry may tell which one was changed. */
  #differing: { readonly anchor: Anchor; readonly from: number } | undefined;
  /** Set by the first bad entry: what comes after it proves nothing more. */
  #isBroken = false;

  constructor(material: LogMaterial) {
    this.#material = material;
    const { anchors, problems } = readAnchors(material.checkpoints, material.trust);
    this.#anchors = anchors;
    this.#problems.push(...problems);
    this.#details = material.details[Symbol.iterator]();
    this.#detail = this.#details.next();
    this.#compareRoots();
  }

  leaf(line: string, storedHash: Uint8Array | undefined): void {
    const seq = this.#tree.size;
    const hash = hashLeafText(line);
    if (!this.#isBroken) this.#checkLeaf(seq, line, { hash, storedHash });
    this.#tree.append(hash);
    if (!this.#isBroken) this.#compareRoots();
  }

  finish(): LogVerification {
    const size = this.#tree.size;
    this.#settleDifferingRoot();
    if (!this.#isBroken) this.#checkEnd(size);
    this.#details.return?.();
    const problem = this.#problems.toSorted((left, right) => (left.seq ?? 0) - (right.seq ?? 0))[0] ?? null;
    return {
      verified: problem === null,
      leafCount: size,
      checkpointCount: this.#material.checkpoints.length,
      rootHash: toHex(this.#tree.root()),
      vouchedCount: this.#vouched,
      erasedDetailCount: this.#erased,
      problem,
      notices: this.#notices,
    };
  }

  #checkLeaf(seq: number, line: string, { hash, storedHash }: LeafHashes): void {
    const leaf = readLeaf(line);
    if (storedHash !== undefined && !equalBytes(hash, storedHash)) {
      this.#break(seq, 'LEAF_CHANGED', 'the entry differs from its stored hash');
    } else if (leaf === undefined) {
      this.#break(seq, 'LEAF_MALFORMED', 'the entry is not a well-formed line');
    } else if (leaf.seq !== seq) {
      const message = `expected entry ${seq}, found ${leaf.seq}: removed, swapped or inserted`;
      this.#break(Math.min(seq, leaf.seq), 'LEAF_SEQUENCE', message);
    } else if (leaf.previous !== this.#previousHash()) {
      this.#breakChain(seq);
    } else {
      this.#settleDifferingRoot();
      if (!this.#isBroken) this.#follow(leaf, hash);
    }
  }

  #follow(leaf: Leaf, hash: Uint8Array): void {
    this.#checkOrder(leaf);
    this.#checkDetail(leaf);
    this.#previous = { leaf, hash };
  }

  #previousHash(): string {
    return this.#previous === undefined ? NO_LEAF_HASH : toHex(this.#previous.hash);
  }

  #breakChain(seq: number): void {
    const message = 'the entry after it was made for another one';
    // Where a signed root vouches for everything before, it is this entry that was put in.
    if (seq === 0 || this.#vouched === seq)
      this.#break(seq, 'LEAF_CHANGED', 'the entry does not follow the one before it');
    else this.#break(seq - 1, 'LEAF_CHANGED', message);
  }

  #checkOrder(leaf: Leaf): void {
    const { seq } = leaf;
    const before = this.#previous?.leaf;
    if (before === undefined) return;
    const isSameBoot = leaf.bootId === before.bootId;
    if (leaf.boot !== before.boot + (isSameBoot ? 0 : 1)) {
      this.#break(seq, 'LEAF_SEQUENCE', 'the start counter does not follow');
      return;
    }
    if (leaf.time >= before.time) return;
    const problem: LogProblem = {
      seq,
      code: 'CLOCK_SET_BACK',
      message: `the clock went back from ${before.time} to ${leaf.time}`,
    };
    if (leaf.action === CLOCK_SET_BACK_ACTION) this.#notice(problem);
    else this.#problems.push(problem);
  }

  #checkDetail(leaf: Leaf): void {
    const { seq } = leaf;
    const detail = this.#takeDetail(seq);
    if (detail === undefined) {
      if (leaf.detailDigest !== null) this.#erased += 1;
    } else if (leaf.detailDigest === null) {
      this.#problems.push({ seq, code: 'DETAIL_UNKNOWN', message: 'a detail for an entry that has none' });
    } else if (detailDigest(detail.salt, detail.detail) !== leaf.detailDigest) {
      this.#problems.push({
        seq,
        code: 'DETAIL_CHANGED',
        message: 'the detail differs from the digest in the entry',
      });
    }
  }

  /** The detail of `seq`, if the next one is for it. Details that come before it belong to no entry. */
  #takeDetail(seq: number): StoredDetail | undefined {
    while (this.#detail.done !== true) {
      const detail = this.#detail.value;
      if (detail !== null && detail.seq > seq) return undefined;
      this.#detail = this.#details.next();
      if (detail === null)
        this.#problems.push({ seq, code: 'DETAIL_MALFORMED', message: 'a detail cannot be read' });
      else if (detail.seq === seq) return detail;
      else
        this.#problems.push({
          seq: detail.seq,
          code: 'DETAIL_UNKNOWN',
          message: 'a second detail or one out of order',
        });
    }
    return undefined;
  }

  #compareRoots(): void {
    const from = this.#vouched;
    for (let anchor = this.#anchors[this.#nextAnchor]; anchor?.size === this.#tree.size; ) {
      if (equalBytes(anchor.rootHash, this.#tree.root())) {
        this.#vouched = anchor.size;
        if (anchor.isWitness) this.#witnessed = anchor.size;
      } else {
        this.#differing ??= { anchor, from: anchor.isWitness ? this.#witnessed : from };
      }
      this.#nextAnchor += 1;
      anchor = this.#anchors[this.#nextAnchor];
    }
  }

  #settleDifferingRoot(): void {
    if (this.#differing === undefined || this.#isBroken) return;
    const { anchor, from } = this.#differing;
    const [code, message]: [LogProblemCode, string] = anchor.isWitness
      ? ['FORKED', `another log of ${anchor.size} entries was shown outside`]
      : ['ROOT_MISMATCH', `the entries are not those that were signed at size ${anchor.size}`];
    // Which of the entries since the last vouched size differs cannot be told when all of them fit each other.
    this.#break(from, code, message);
  }

  #checkEnd(size: number): void {
    const missing = this.#anchors[this.#nextAnchor];
    if (missing !== undefined) {
      const message = `${missing.isWitness ? 'a witness saw' : 'a checkpoint covers'} ${missing.size} entries, found ${size}`;
      this.#problems.push({ seq: size, code: 'LEAVES_MISSING', message });
    }
    if (this.#takeDetail(size) !== undefined || this.#detail.done !== true) {
      this.#problems.push({
        seq: size,
        code: 'DETAIL_UNKNOWN',
        message: 'a detail of an entry that is not there',
      });
    }
    if (!this.#material.isRunning && this.#material.checkpoints.length === 0) {
      // Else a log of which nothing is left would verify.
      this.#problems.push({ seq: 0, code: 'NO_CHECKPOINT', message: 'nothing of this log is signed' });
    } else if (missing === undefined && this.#vouched < size) {
      const tail: LogProblem = {
        seq: this.#vouched,
        code: 'UNSIGNED_TAIL',
        message: 'no checkpoint covers the entries from here',
      };
      if (this.#material.isRunning) this.#notice(tail);
      else this.#problems.push(tail);
    }
  }

  #break(seq: number, code: LogProblemCode, message: string): void {
    this.#problems.push({ seq, code, message });
    this.#isBroken = true;
  }

  #notice(notice: LogProblem): void {
    if (this.#notices.length < MAX_NOTICES) this.#notices.push(notice);
  }
}

function readLeaf(line: string): Leaf | undefined {
  try {
    return parseLeaf(line);
  } catch (error) {
    if (!isCodedError(error, 'BAD_LEAF')) throw error;
    return undefined;
  }
}
