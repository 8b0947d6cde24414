// A site's log of a hundred entries that shows the consortium any of its sizes, with the proof that belongs to it.
import { toHex, utf8 } from '#base/bytes.ts';
import { signCheckpoint } from '#federation/log/checkpoint.ts';
import { encodeLogExtension } from '#federation/log/log-extension.ts';
import { consistencyProof, hashLeaf, rootHash } from '#federation/log/merkle-tree.ts';
import type { SiteKeys } from './consortium-world.ts';
import { createMemoryNodes } from './memory-log-storage.ts';

export interface ShownLog {
  /** Lower-case hexadecimal. */
  root(size: number): string;
  /** Body of the request that shows `size` entries to whoever holds `oldSize` of them. */
  show(oldSize: number, size: number, options?: ShowOptions): Uint8Array;
}

export interface ShowOptions {
  readonly origin?: string;
  readonly key?: SiteKeys['log'];
}

/** From entry `forkedAt` on it is another log than one made without. */
export function createShownLog(site: SiteKeys, forkedAt = Number.POSITIVE_INFINITY): ShownLog {
  const nodes = createMemoryNodes();
  for (let seq = 0; seq < 100; seq += 1)
    nodes.append(hashLeaf(utf8(`${seq < forkedAt ? 'true' : 'other'} ${seq}`)));
  return {
    root: (size) => toHex(rootHash(size, nodes)),
    show: (oldSize, size, options = {}) => {
      const { origin = `consilium.example/site/${site.siteId}/log`, key = site.log } = options;
      const note = signCheckpoint({ origin, size, rootHash: rootHash(size, nodes) }, key);
      return utf8(encodeLogExtension({ oldSize, proof: consistencyProof(oldSize, size, nodes), note }));
    },
  };
}
