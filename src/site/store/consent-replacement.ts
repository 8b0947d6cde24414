// What ties a consent to others of its patient, as the column `consent.replacement` holds it, in JSON (security.md C4).

/** Names are keyed digests: nobody reads an identifier from them. */
export interface ConsentReplacement {
  /** By which others can name it: its own at its source first, then each of its identifiers. */
  readonly names: readonly string[];
  /** Names of consents that it says it replaces. */
  readonly replaces: readonly string[];
  /** Who gave it, where that is not the patient; null: the patient, or nobody is stated. */
  readonly givenBy: string | null;
}
