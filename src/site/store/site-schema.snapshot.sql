CREATE INDEX audit_leaf_action ON audit_leaf (json_extract(line, '$.action'), seq);

CREATE UNIQUE INDEX consent_version ON consent (consent_id, version);

CREATE INDEX imaging_series_study ON imaging_series (imaging_study_no);

CREATE INDEX imaging_study_subject ON imaging_study (subject_no, day);

CREATE INDEX known_identifier_subject ON known_identifier (subject_no);

CREATE INDEX numbered_record ON fact (record_key) WHERE record_key >= 0;

CREATE INDEX patient_link_subject ON patient_link (subject_no);

CREATE INDEX row_refusal_outcome ON row_refusal (outcome_id);

CREATE INDEX sealed_object_segment ON sealed_object (segment, position, byte_count);

CREATE INDEX segmentation_source_uid ON segmentation_source (source_uid);

CREATE INDEX sop_instance_series ON sop_instance (imaging_series_no);

CREATE INDEX subject_erased ON subject (erased_at) WHERE erased_at IS NOT NULL;

CREATE INDEX subject_erasure ON subject (erasure_pending) WHERE erasure_pending = 1;

CREATE INDEX subject_survivor ON subject (survivor_no) WHERE survivor_no IS NOT NULL;

CREATE TABLE approval (
  update_id TEXT PRIMARY KEY REFERENCES model_update,
  decision TEXT NOT NULL CHECK (decision IN ('approve', 'refuse')),
  person TEXT NOT NULL REFERENCES person,
  envelope BLOB NOT NULL,                -- DSSE, signed by the steward's own key
  decided_at TEXT NOT NULL               -- ISO time
) STRICT;

CREATE TABLE audit_checkpoint (
  size INTEGER PRIMARY KEY,              -- leaves it covers
  note TEXT NOT NULL,                    -- C2SP signed checkpoint
  created_at TEXT NOT NULL               -- ISO time
) STRICT;

CREATE TABLE audit_detail (
  seq INTEGER PRIMARY KEY REFERENCES audit_leaf,
  salt BLOB NOT NULL,                    -- 32 random bytes: the digest in the leaf cannot be guessed after erasure
  detail TEXT NOT NULL                   -- JSON; may be erased, the tree stays whole
) STRICT;

CREATE TABLE audit_leaf (
  seq INTEGER PRIMARY KEY,               -- from 0, no gaps
  line TEXT NOT NULL,                    -- the leaf: one line of JSON (docs/formats/audit-log.md)
  leaf_hash BLOB NOT NULL                -- RFC 6962 leaf hash
) STRICT;

CREATE TABLE audit_node (
  level INTEGER NOT NULL,                -- from 1; a node of this level covers 2^level leaves
  position INTEGER NOT NULL,             -- from 0; covers leaves position * 2^level and on
  hash BLOB NOT NULL,                    -- RFC 6962 node hash of a complete subtree: roots and proofs need no walk over all leaves
  PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE cohort (
  cohort_id TEXT PRIMARY KEY,            -- random
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  cohort_digest TEXT NOT NULL,           -- sha256 over the sorted research-study pseudonyms
  consent_snapshot_digest TEXT NOT NULL, -- sha256 of the consent snapshot, which its members give again
  erased_training INTEGER NOT NULL DEFAULT 0, -- members of the training part that were erased since
  erased_holdout INTEGER NOT NULL DEFAULT 0, -- the same of the holdout part
  selection TEXT NOT NULL,               -- JSON: counts in and out by reason
  frozen_at TEXT NOT NULL                -- ISO time
) STRICT;

CREATE TABLE cohort_member (
  cohort_id TEXT NOT NULL REFERENCES cohort,
  subject_no INTEGER NOT NULL REFERENCES subject, -- as it stood when the cohort was frozen, before any later merge
  pseudonym TEXT NOT NULL,               -- of the research study
  part TEXT NOT NULL CHECK (part IN ('training', 'holdout')),
  index_day INTEGER NOT NULL,            -- moved by the date offset
  consent_id TEXT,                       -- that permitted it
  consent_version INTEGER,
  consent_path TEXT NOT NULL,            -- JSON: which of its rules did
  PRIMARY KEY (cohort_id, subject_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE concept (
  concept_id INTEGER PRIMARY KEY,        -- how facts name it, here only
  kind TEXT NOT NULL CHECK (kind IN ('encounter', 'condition', 'measurement', 'medication', 'procedure', 'answer', 'unit')),
  system TEXT NOT NULL,                  -- URI of the code's system
  code TEXT NOT NULL,                    -- LOINC, SNOMED CT, UCUM or research-study code
  UNIQUE (system, code, kind)
) STRICT;

CREATE TABLE consent (
  consent_id TEXT NOT NULL,              -- keyed digest of the consent's name at its source and of its scope, or random for one given here
  version INTEGER NOT NULL,              -- from 1; a change is a new row
  subject_id TEXT NOT NULL REFERENCES subject (subject_id),
  merged_from TEXT REFERENCES subject (subject_id), -- subject it came for, when that one was merged into another since
  research_study_id TEXT,                -- the research study it is for; null: research in general
  status TEXT NOT NULL,                  -- FHIR Consent.status
  decision TEXT NOT NULL CHECK (decision IN ('permit', 'deny')),
  is_by_guardian INTEGER NOT NULL DEFAULT 0, -- 1 where somebody else gave it for the patient: what it permits ends at majority
  stated_day INTEGER,                    -- day it was given
  stated_until_day INTEGER,              -- last day that may be, where the source states a month or a year; null: stated_day
  verified_day INTEGER,                  -- day it was verified with the patient; null: the source states none
  from_day INTEGER,                      -- first day it holds, null: open
  until_day INTEGER,                     -- last day it holds, null: open
  provision TEXT,                        -- JSON: its rules, days moved as the ones above; null: 'decision' is all it says
  replacement TEXT,                      -- JSON: further names, the consents it replaces, who gave it, by keyed digests; null: none
  source TEXT NOT NULL,                  -- csv | fhir | omop | ccda | hl7v2 | steward
  content_digest BLOB NOT NULL,          -- keyed digest of what the source says, or of the columns above
  recorded_at TEXT NOT NULL,             -- ISO time
  PRIMARY KEY (subject_id, consent_id, version) -- read subject by subject: each one's lie together
) STRICT, WITHOUT ROWID;

CREATE TABLE erased_member (
  subject_no INTEGER NOT NULL REFERENCES subject,
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  part TEXT NOT NULL CHECK (part IN ('training', 'holdout')),
  departure TEXT NOT NULL CHECK (departure IN ('never', 'possible', 'received')), -- whether an update of that cohort left
  erased_at TEXT NOT NULL,               -- ISO time
  PRIMARY KEY (subject_no, research_study_id, round, part, departure)
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluation_report (
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,                -- round of the evaluated global model
  model_digest TEXT NOT NULL,
  report TEXT NOT NULL,                  -- JSON
  evaluated_at TEXT NOT NULL,            -- ISO time
  PRIMARY KEY (research_study_id, round)
) STRICT;

CREATE TABLE fact (
  concept_id INTEGER NOT NULL,           -- what it is; its kind is the concept's
  fact_id INTEGER NOT NULL,              -- rises with each fact of the store
  record_key INTEGER NOT NULL,           -- 48 bits of the keyed digest of the record's name at its source: finds it again
  record_check INTEGER NOT NULL,         -- 53 bits more, with the record's scope: tells it from another of its key
  subject_no INTEGER NOT NULL,           -- subject it came for, before any merge
  number REAL,                           -- quantity, or 0/1 for a boolean
  value_id INTEGER,                      -- concept of its unit, or of its coded value; null for a boolean and for a fact without value
  day INTEGER NOT NULL,                  -- day of the fact
  second INTEGER,                        -- second of that day; null when the source states the day only
  end_day INTEGER,                       -- day of its end; null while it lasts or when none is stated
  outcome_id INTEGER,                    -- the file that brought it
  row INTEGER,                           -- the row or entry of that file, from 1
  PRIMARY KEY (concept_id, fact_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_sequence (
  last_fact_id INTEGER NOT NULL,         -- of the fact that came last, deleted since or not; one row
  merged_fact_id INTEGER NOT NULL        -- of the last before the first that named_record may lack
) STRICT;

CREATE TABLE global_model (
  research_study_id TEXT NOT NULL,
  remedy INTEGER NOT NULL,               -- number of the last remedy before its round was opened; 0: none
  round INTEGER NOT NULL,                -- 0: initial model
  model_digest TEXT NOT NULL,            -- sha256 of 'tensors', recomputed here
  envelope BLOB NOT NULL,                -- DSSE, as received
  tensors BLOB NOT NULL,                 -- safetensors
  verified_at TEXT NOT NULL,             -- ISO time
  PRIMARY KEY (research_study_id, remedy, round)
) STRICT;

CREATE TABLE imaging_series (
  imaging_series_no INTEGER PRIMARY KEY, -- rises with each imaging series
  imaging_series_uid TEXT NOT NULL UNIQUE, -- new UID
  imaging_study_no INTEGER NOT NULL REFERENCES imaging_study,
  modality TEXT NOT NULL,                -- of the closed list of the standard: MR, CT, SEG; OT for any other
  body_part TEXT,                        -- of a closed list of the standard, null where none or another is stated
  series_number INTEGER,                 -- as the scanner numbered it
  frame_of_reference_uid TEXT            -- new UID: imaging series that share it lie in one coordinate system
) STRICT;

CREATE TABLE imaging_study (
  imaging_study_no INTEGER PRIMARY KEY,  -- rises with each imaging study
  imaging_study_uid TEXT NOT NULL UNIQUE, -- new UID
  subject_no INTEGER NOT NULL REFERENCES subject, -- subject it came for, before any merge; its date offset moves the days
  day INTEGER,                           -- moved by the date offset, null where none is stated
  second INTEGER,                        -- second of that day, null where none is stated
  age_years INTEGER                      -- whole years on that day, above 89 stored as 90; null where unknown
) STRICT;

CREATE TABLE ingest_batch (
  batch_id TEXT PRIMARY KEY,             -- random
  started_at TEXT NOT NULL,              -- ISO time
  finished_at TEXT                       -- null while it runs or when it was killed
) STRICT;

CREATE TABLE ingest_outcome (
  outcome_id INTEGER PRIMARY KEY,        -- rises with each file
  batch_id TEXT NOT NULL REFERENCES ingest_batch,
  sealed_name BLOB NOT NULL,             -- the file's name, AES-256-GCM under the linkage key: a name can name a patient
  file_digest TEXT,                      -- sha256 of the file, null when it could not be read to its end
  format TEXT,                           -- csv | fhir-bundle | fhir-ndjson | omop-csv, null when it was not recognised
  outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'duplicate', 'quarantined', 'rejected')),
  code TEXT,                             -- why it is not (wholly) accepted
  reason TEXT,                           -- the same in words, without values from the file
  rows_accepted INTEGER NOT NULL,        -- records that added something
  rows_duplicate INTEGER NOT NULL,       -- records that were known already
  rows_rejected INTEGER NOT NULL,        -- records refused, each with a row_refusal (the first 1,000)
  rows_not_needed INTEGER NOT NULL,      -- records of a kind that has no place in the clinical vocabulary
  finished_at TEXT NOT NULL              -- ISO time
) STRICT;

CREATE TABLE known_identifier (
  link_key BLOB NOT NULL,                -- as in patient_link, of a further identifier: records are not linked by it
  subject_no INTEGER NOT NULL REFERENCES subject, -- as it came, before any merge
  PRIMARY KEY (link_key, subject_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_update (
  update_id TEXT PRIMARY KEY,            -- sha256 of the update statement's bytes
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  run_id TEXT NOT NULL REFERENCES training_run,
  envelope BLOB NOT NULL,                -- DSSE of the update statement, signed by the site
  payload BLOB NOT NULL,                 -- safetensors that leave
  report TEXT NOT NULL,                  -- disclosure report, RFC 8785 JSON
  report_digest TEXT NOT NULL,           -- sha256 of 'report'
  state TEXT NOT NULL CHECK (state IN ('draft', 'approved', 'refused', 'blocked', 'sealed', 'received')),
  built_at TEXT NOT NULL                 -- ISO time
) STRICT;

CREATE TABLE named_record (
  record_key INTEGER NOT NULL,
  concept_id INTEGER NOT NULL,
  fact_id INTEGER NOT NULL,
  PRIMARY KEY (record_key, concept_id, fact_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE offline_bundle (
  kind TEXT NOT NULL CHECK (kind IN ('in', 'out')), -- in: from the consortium
  sequence INTEGER NOT NULL,             -- from 1, of its kind
  research_study_id TEXT NOT NULL,
  manifest_digest TEXT NOT NULL,         -- sha256 of the manifest statement's bytes
  log_size INTEGER,                      -- out: entries of this site's log under the checkpoint in it
  moved_at TEXT NOT NULL,                -- ISO time: written, or read to its end
  PRIMARY KEY (kind, sequence)
) STRICT;

CREATE TABLE opt_out (
  link_key BLOB NOT NULL,                -- as in patient_link: HMAC of authority and normalised identifier under the linkage key
  list_no INTEGER NOT NULL REFERENCES opt_out_list,
  PRIMARY KEY (link_key, list_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE opt_out_list (
  list_no INTEGER PRIMARY KEY,           -- how entries name it, here only
  authority TEXT NOT NULL UNIQUE,        -- who gave the identifiers on it; one list for each, the newest
  stated_day INTEGER NOT NULL,           -- whole days since 1970-01-01 (not shifted): the day up to which it is complete
  entry_count INTEGER NOT NULL,          -- different identifiers on it
  imported_at TEXT NOT NULL              -- ISO time
) STRICT;

CREATE TABLE outbox (
  update_id TEXT PRIMARY KEY REFERENCES model_update,
  sealed_file BLOB NOT NULL,             -- the exact bytes that leave (docs/formats/sealed-update.md)
  sealed_at TEXT NOT NULL,               -- ISO time
  attempt_count INTEGER NOT NULL DEFAULT 0, -- times it was offered to the consortium
  last_code TEXT,                        -- code of the last failed try
  receipt BLOB,                          -- DSSE, as received; null until the consortium holds the update
  received_at TEXT                       -- ISO time
) STRICT;

CREATE TABLE patient_link (
  link_key BLOB PRIMARY KEY,             -- HMAC of assigning authority and normalised identifier under the linkage key
  subject_no INTEGER NOT NULL REFERENCES subject, -- as the identifier came, before any merge
  sealed BLOB NOT NULL                   -- identifier, name and birth date, AES-256-GCM under the linkage key; no input of a tensor
) STRICT;

CREATE TABLE person (
  name TEXT PRIMARY KEY,                 -- printed name, as it stands on approvals
  role TEXT NOT NULL,                    -- steward | investigator | auditor | admin
  public_key TEXT NOT NULL,              -- Ed25519 SubjectPublicKeyInfo, base64; the private key is in the key store
  added_at TEXT NOT NULL                 -- ISO time
) STRICT;

CREATE TABLE privacy_spend (
  run_id TEXT PRIMARY KEY,               -- training run whose update was built; the charge outlives the run
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  noise_multiplier REAL NOT NULL,        -- standard deviation of the noise, in clipping norms
  sampling_rate REAL NOT NULL,           -- probability with which each patient was in a step's lot
  steps INTEGER NOT NULL,
  charged_at TEXT NOT NULL               -- ISO time
) STRICT;

CREATE TABLE quarantine (
  quarantine_id INTEGER PRIMARY KEY,     -- rises with each file
  outcome_id INTEGER NOT NULL REFERENCES ingest_outcome, -- which has its sealed name
  object_no INTEGER NOT NULL UNIQUE REFERENCES sealed_object, -- the file as it came
  source_digest BLOB NOT NULL UNIQUE,    -- keyed digest of its bytes: a second import does not add it again
  format TEXT NOT NULL,                  -- dicom
  code TEXT NOT NULL,                    -- why a person has to look
  field TEXT,                            -- element name, never a value
  modality TEXT,                         -- DICOM defined term where one is stated
  quarantined_at TEXT NOT NULL,          -- ISO time
  waived TEXT NOT NULL                   -- JSON: checks that releases have waived so far
) STRICT;

CREATE TABLE remedy (
  research_study_id TEXT NOT NULL,
  number INTEGER NOT NULL,               -- from 1, no gaps
  kind TEXT NOT NULL CHECK (kind IN ('rebuild-model', 'retire-model')),
  from_round INTEGER NOT NULL,           -- what was there of this round and later ones counts no longer
  model_digest TEXT NOT NULL,            -- of the model of the round before, which counts again
  envelope BLOB NOT NULL,                -- DSSE, as received
  accepted_at TEXT NOT NULL,             -- ISO time
  PRIMARY KEY (research_study_id, number)
) STRICT;

CREATE TABLE remedy_request (
  request_digest TEXT NOT NULL,          -- sha256 of the request statement's bytes; several subjects may share one
  research_study_id TEXT NOT NULL,
  subject_no INTEGER NOT NULL REFERENCES subject, -- for whom; stays here
  from_round INTEGER NOT NULL,
  to_round INTEGER NOT NULL,
  envelope BLOB NOT NULL,                -- DSSE, signed by the site's key
  requested_at TEXT NOT NULL,            -- ISO time
  sent_at TEXT,                          -- ISO time, null until the consortium has it
  refused_code TEXT,                     -- with which the consortium refused it for good
  answer BLOB,                           -- DSSE, signed by the consortium: what became of it; null while it waits there
  answer_outcome TEXT CHECK (answer_outcome IN ('carried-out', 'dismissed')), -- as the answer says
  dismissal_reason TEXT,                 -- as the answer says; null for one that was carried out
  PRIMARY KEY (request_digest, subject_no)
) STRICT;

CREATE TABLE research_study (
  research_study_id TEXT NOT NULL,
  plan_version INTEGER NOT NULL,         -- never falls
  plan_digest TEXT NOT NULL,             -- sha256 of the plan statement's bytes
  envelope BLOB NOT NULL,                -- DSSE, as received
  accepted_at TEXT NOT NULL,             -- ISO time
  PRIMARY KEY (research_study_id, plan_version)
) STRICT;

CREATE TABLE round (
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  remedy INTEGER NOT NULL,               -- number of the last remedy before it was opened; 0: none
  envelope BLOB NOT NULL,                -- DSSE, as received
  received_at TEXT NOT NULL,             -- ISO time
  PRIMARY KEY (research_study_id, round, attempt)
) STRICT;

CREATE TABLE row_refusal (
  outcome_id INTEGER NOT NULL REFERENCES ingest_outcome,
  row INTEGER NOT NULL,                  -- from 1: line of a CSV or NDJSON file, entry of a bundle
  code TEXT NOT NULL,                    -- stage code
  field TEXT                             -- column or element name, never a value
) STRICT;

CREATE TABLE sealed_object (
  object_no INTEGER PRIMARY KEY,         -- rises with each object
  segment INTEGER NOT NULL,              -- names the segment file (docs/formats/object-store.md)
  position INTEGER NOT NULL,             -- first byte in it
  byte_count INTEGER NOT NULL,           -- of the object before it was sealed
  object_key BLOB NOT NULL               -- 32 random bytes that seal this object alone: without this row its bytes are noise
) STRICT;

CREATE TABLE segmentation_source (
  sop_instance_no INTEGER NOT NULL REFERENCES sop_instance, -- the segmentation
  frame INTEGER NOT NULL,                -- of the segmentation, from 1; 0: all of it
  source_uid TEXT NOT NULL,              -- new UID of the image that was segmented, which may come later
  source_frame INTEGER NOT NULL,         -- of that image, from 1; 0: all of it
  PRIMARY KEY (sop_instance_no, frame, source_uid, source_frame)
) STRICT, WITHOUT ROWID;

CREATE TABLE series_summary (
  imaging_series_no INTEGER PRIMARY KEY REFERENCES imaging_series,
  left_out TEXT,                         -- why no slice of it is read; null where they are
  slices TEXT NOT NULL,                  -- JSON, in the order of the slices: of which SOP instance and frame, size, position, orientation
  intensity_shift INTEGER NOT NULL,      -- low bits that keys of intensities are without; 0: none
  intensities BLOB NOT NULL              -- how often each intensity occurs: a key (uint32) and a count (float64) each, little-endian
) STRICT;

CREATE TABLE setting (
  name TEXT PRIMARY KEY,                 -- what is set, e.g. site_id
  value TEXT NOT NULL                    -- its JSON
) STRICT;

CREATE TABLE sop_instance (
  sop_instance_no INTEGER PRIMARY KEY,   -- rises with each SOP instance
  sop_instance_uid TEXT NOT NULL UNIQUE, -- new UID
  imaging_series_no INTEGER NOT NULL REFERENCES imaging_series,
  sop_class_uid TEXT NOT NULL,           -- of the standard
  transfer_syntax_uid TEXT NOT NULL,     -- of the standard: how the pixels are encoded
  instance_number INTEGER,               -- as the scanner numbered it
  pixel_rows INTEGER,                    -- height of a frame; null where there are no pixels
  pixel_columns INTEGER,                 -- width of a frame
  frame_count INTEGER NOT NULL,          -- 1 for a single image, 0 where there are no pixels
  samples_per_pixel INTEGER,             -- 1 grey, 3 colour
  photometric TEXT,                      -- DICOM defined term
  bits_allocated INTEGER,
  bits_stored INTEGER,
  is_signed INTEGER,                     -- 1 where pixel values are signed
  row_spacing REAL,                      -- millimetres between the centres of rows
  column_spacing REAL,                   -- millimetres between the centres of columns
  slice_thickness REAL,                  -- millimetres
  orientation TEXT,                      -- JSON: six direction cosines of rows and columns
  position TEXT,                         -- JSON: three millimetres of the first pixel in the frame of reference
  rescale_slope REAL,
  rescale_intercept REAL,
  day INTEGER,                           -- of acquisition or content, moved by the date offset
  second INTEGER,                        -- second of that day
  source_digest BLOB NOT NULL UNIQUE,    -- keyed digest of the file's bytes: a second import finds it
  object_no INTEGER UNIQUE REFERENCES sealed_object, -- the de-identified file, null where pixels are not kept
  outcome_id INTEGER NOT NULL            -- the file that brought it
) STRICT;

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

CREATE TABLE split_part (
  research_study_id TEXT NOT NULL,
  subject_no INTEGER NOT NULL REFERENCES subject, -- as it stood when it was drawn, before any later merge
  part TEXT NOT NULL CHECK (part IN ('training', 'holdout')), -- that the site drew for it, for as long as the research study goes on
  PRIMARY KEY (research_study_id, subject_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE subject (
  subject_no INTEGER PRIMARY KEY,        -- how facts and links name it, here only
  subject_id TEXT NOT NULL UNIQUE,       -- pseudonym under the site's own key (security.md D10)
  sex TEXT,                              -- FHIR administrative gender, null when not recorded
  added_at TEXT NOT NULL,                -- ISO time
  survivor_no INTEGER REFERENCES subject, -- the subject that this one turned out to be, never itself merged; null: none
  days_moved INTEGER NOT NULL DEFAULT 0, -- the survivor's date offset less its own: added to the days of its facts
  erased_at TEXT,                        -- ISO time of the withdrawal that erased it; nothing of it is taken in until a consent permits again
  erasure_pending INTEGER NOT NULL DEFAULT 0, -- 1 until the last of its facts is gone
  images_only INTEGER NOT NULL DEFAULT 0, -- 1 while nothing but images has named it
  deceased_by TEXT                       -- csv | fhir | omop | ccda | hl7v2: whose record says that the person died; null: none does
) STRICT;

CREATE TABLE training_run (
  run_id TEXT PRIMARY KEY,               -- random
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  cohort_id TEXT NOT NULL REFERENCES cohort,
  seed BLOB,                             -- 32 random bytes, null where nothing is random; never leaves the site
  engine TEXT,                           -- which engine computed it
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
  result TEXT,                           -- JSON: losses, steps, seconds
  tensors BLOB,                          -- what the run made, safetensors, before the base is subtracted
  started_at TEXT NOT NULL,              -- ISO time
  finished_at TEXT                       -- ISO time
) STRICT;

CREATE TABLE trust_list (
  version INTEGER PRIMARY KEY,           -- never falls
  envelope BLOB NOT NULL,                -- DSSE, as received
  accepted_at TEXT NOT NULL              -- ISO time
) STRICT;

CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'AUDIT_APPEND_ONLY'); END;

CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'AUDIT_APPEND_ONLY'); END;

CREATE TRIGGER audit_leaf_no_delete BEFORE DELETE ON audit_leaf BEGIN SELECT RAISE(ABORT, 'AUDIT_APPEND_ONLY'); END;

CREATE TRIGGER audit_leaf_no_update BEFORE UPDATE ON audit_leaf BEGIN SELECT RAISE(ABORT, 'AUDIT_APPEND_ONLY'); END;

CREATE TRIGGER audit_node_no_delete BEFORE DELETE ON audit_node BEGIN SELECT RAISE(ABORT, 'AUDIT_APPEND_ONLY'); END;

CREATE TRIGGER audit_node_no_update BEFORE UPDATE ON audit_node BEGIN SELECT RAISE(ABORT, 'AUDIT_APPEND_ONLY'); END;

CREATE TRIGGER fact_deleted AFTER DELETE ON fact WHEN old.record_key < 0 BEGIN
  DELETE FROM named_record
  WHERE record_key = old.record_key AND concept_id = old.concept_id AND fact_id = old.fact_id;
END;

CREATE TRIGGER privacy_spend_no_delete BEFORE DELETE ON privacy_spend BEGIN SELECT RAISE(ABORT, 'PRIVACY_SPEND_STAYS'); END;

CREATE TRIGGER privacy_spend_no_update BEFORE UPDATE ON privacy_spend BEGIN SELECT RAISE(ABORT, 'PRIVACY_SPEND_STAYS'); END;

CREATE TRIGGER series_summary_erased BEFORE DELETE ON sop_instance BEGIN
  DELETE FROM series_summary WHERE imaging_series_no = old.imaging_series_no;
END;

CREATE TRIGGER series_summary_outdated AFTER INSERT ON sop_instance BEGIN
  DELETE FROM series_summary WHERE imaging_series_no = new.imaging_series_no;
END;

CREATE TRIGGER sop_instance_deleted AFTER DELETE ON sop_instance WHEN old.object_no IS NOT NULL BEGIN
  DELETE FROM sealed_object WHERE object_no = old.object_no;
END;

CREATE VIEW model_in_force AS
  SELECT * FROM global_model WHERE NOT EXISTS (
    SELECT 1 FROM remedy WHERE remedy.research_study_id = global_model.research_study_id
      AND remedy.number > global_model.remedy AND remedy.from_round <= global_model.round);

CREATE VIEW round_in_force AS
  SELECT research_study_id, round, attempt, remedy FROM round WHERE NOT EXISTS (
    SELECT 1 FROM remedy WHERE remedy.research_study_id = round.research_study_id
      AND remedy.number > round.remedy AND remedy.from_round <= round.round);

CREATE VIEW subject_fact AS SELECT
  fact_id, standing.subject_id AS subject_id, what.kind AS kind, what.system AS code_system, what.code AS code,
  number AS value_number, iif(value.kind = 'unit', value.code, NULL) AS unit,
  iif(value.kind = 'answer', value.system, NULL) AS value_system, iif(value.kind = 'answer', value.code, NULL) AS value_code,
  day + own.days_moved AS day, second, end_day + own.days_moved AS end_day, outcome_id, row, record_key, record_check
FROM fact JOIN concept AS what USING (concept_id)
  JOIN subject AS own USING (subject_no)
  JOIN subject AS standing ON standing.subject_no = coalesce(own.survivor_no, own.subject_no)
  LEFT JOIN concept AS value ON value.concept_id = fact.value_id;
