// Opt-out lists: who said no to research elsewhere, and whom they may mean, by keyed digests. No identifier is stored.

export const optOutMigration = `
CREATE TABLE known_identifier (
  link_key BLOB NOT NULL,                -- as in patient_link, of a further identifier: records are not linked by it
  subject_no INTEGER NOT NULL REFERENCES subject, -- as it came, before any merge
  PRIMARY KEY (link_key, subject_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_identifier_subject ON known_identifier (subject_no);

CREATE TABLE opt_out_list (
  list_no INTEGER PRIMARY KEY,           -- how entries name it, here only
  authority TEXT NOT NULL UNIQUE,        -- who gave the identifiers on it; one list for each, the newest
  stated_day INTEGER NOT NULL,           -- whole days since 1970-01-01 (not shifted): the day up to which it is complete
  entry_count INTEGER NOT NULL,          -- different identifiers on it
  imported_at TEXT NOT NULL              -- ISO time
) STRICT;

CREATE TABLE opt_out (
  link_key BLOB NOT NULL,                -- as in patient_link: HMAC of authority and normalised identifier under the linkage key
  list_no INTEGER NOT NULL REFERENCES opt_out_list,
  PRIMARY KEY (link_key, list_no)
) STRICT, WITHOUT ROWID;
`;
