// A Merkle tree over generated leaves, or the hashes that any such tree takes. Run by the bench as a process of its own:
// tree-child.ts tree|hashes COUNT
import { sha256 } from '#federation/crypto/digest.ts';
import { createCompactRange, hashLeaf } from '#federation/log/merkle-tree.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';

const [what, countText] = process.argv.slice(2);
const count = Number(countText);
const leaf = new Uint8Array(200).fill(7);
const view = new DataView(leaf.buffer);

function tree(): void {
  const range = createCompactRange();
  const start = beginMeasured();
  for (let index = 0; index < count; index += 1) {
    view.setUint32(0, index);
    range.append(hashLeaf(leaf));
  }
  range.root();
  reportMeasured(start, { amount: count });
}

/** As many hashes, of as many bytes, of nothing that has to be put together. */
function hashes(): void {
  const node = new Uint8Array(65);
  const start = beginMeasured();
  for (let index = 0; index < count; index += 1) {
    view.setUint32(0, index);
    sha256(leaf);
    sha256(node);
  }
  reportMeasured(start, { amount: count });
}

if (what === 'tree') tree();
else hashes();
