// The consortium's signed answer to a site's request for a remedy (security.md C11), for that site alone: carried out, or dismissed with
// the operator's reason. With its nonce the site finds its request among the answers of the remedy, where nobody else does.
import { z } from 'zod';
import { concatBytes, fromHex } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { digestHex, identifier, isoTimestamp, plainText } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

const common = {
  researchStudyId: identifier,
  siteId: identifier,
  /** sha256 of the request statement's bytes. */
  requestDigest: digestHex,
  answeredAt: isoTimestamp,
};

export const remedyAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({
    ...common,
    outcome: z.literal('carried-out'),
    /** Number of the remedy; null where the site has left the research study instead. */
    remedy: z.int().min(1).nullable(),
    /** 32 bytes that open the remedy's answer to this request; null where an earlier remedy had taken back all of it. */
    nonce: digestHex.nullable(),
  }),
  z.strictObject({ ...common, outcome: z.literal('dismissed'), reason: plainText(500) }),
]);
export type RemedyAnswer = z.infer<typeof remedyAnswer>;

export const remedyAnswerRecord = defineRecord({
  name: 'remedy-answer',
  predicateType: 'https://consilium.example/remedy-answer/v1',
  role: 'model',
  predicate: remedyAnswer,
});

/** A remedy has answers by so many, with random ones among them: how many requests there were is nobody's business. */
export const answersInBlock = 16;

/** How a remedy names a request that it answers: a digest of the request alone could be found by trying sites and times. */
export function answerTo(requestDigest: string, nonce: string): string {
  return sha256Hex(concatBytes(fromHex(nonce), fromHex(requestDigest)));
}
