// Where records come from by themselves: PACS, EHR servers, folders. What is set for one is sealed; secrets and names of people lie in it.

export const sourcesMigration = `
CREATE TABLE source (
  source_id TEXT PRIMARY KEY,            -- random
  kind TEXT NOT NULL CHECK (kind IN ('folder', 'dicom-receiver', 'dicomweb', 'mllp', 'bulk-export')),
  label TEXT NOT NULL,                   -- as an admin named it; one of its kind
  sealed_settings BLOB NOT NULL,         -- JSON under a key of the site, secrets included
  received INTEGER NOT NULL,             -- files and messages that came from it and have an outcome
  last_received_at TEXT,                 -- ISO time; null before the first
  last_code TEXT,                        -- why it failed last; null where it did not
  saved_at TEXT NOT NULL,                -- ISO time
  sealed_state BLOB,                     -- what the source keeps between runs (an export's address and time), sealed; null before the first
  UNIQUE (kind, label)
) STRICT;

CREATE TABLE source_object (
  source_id TEXT NOT NULL REFERENCES source,
  object_digest BLOB NOT NULL,           -- keyed digest (16 bytes) of what the source calls an object whose outcome is committed: it is not fetched again
  PRIMARY KEY (source_id, object_digest)
) STRICT, WITHOUT ROWID;
`;
