// Offline bundles to and from each site: their numbers, so that gaps, repetitions and forks show.

export const offlineBundleMigration = `
CREATE TABLE offline_bundle (
  site_id TEXT NOT NULL REFERENCES site,
  kind TEXT NOT NULL CHECK (kind IN ('in', 'out')), -- as the site sees it: in goes to the site
  sequence INTEGER NOT NULL,             -- from 1, of its site and kind
  research_study_id TEXT NOT NULL,
  manifest_digest TEXT NOT NULL,         -- sha256 of the manifest statement's bytes
  moved_at TEXT NOT NULL,                -- ISO time: written, or read to its end
  PRIMARY KEY (site_id, kind, sequence)
) STRICT;
`;
