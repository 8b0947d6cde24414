// Offline bundles that this site wrote and read: their numbers, so that gaps, repetitions and forks show.

export const offlineBundleMigration = `
CREATE TABLE offline_bundle (
  kind TEXT NOT NULL CHECK (kind IN ('in', 'out')), -- in: from the consortium
  sequence INTEGER NOT NULL,             -- from 1, of its kind
  research_study_id TEXT NOT NULL,
  manifest_digest TEXT NOT NULL,         -- sha256 of the manifest statement's bytes
  log_size INTEGER,                      -- out: entries of this site's log under the checkpoint in it
  moved_at TEXT NOT NULL,                -- ISO time: written, or read to its end
  PRIMARY KEY (kind, sequence)
) STRICT;
`;
