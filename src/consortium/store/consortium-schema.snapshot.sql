CREATE INDEX request_nonce_seen ON request_nonce (seen_at_ms);

CREATE UNIQUE INDEX round_open ON round (research_study_id) WHERE state = 'open';

CREATE TABLE global_model (
  research_study_id TEXT NOT NULL,
  remedy INTEGER NOT NULL,               -- number of the last remedy before its round was opened; 0: none
  round INTEGER NOT NULL,                -- 0: initial model
  model_digest TEXT NOT NULL,            -- sha256 of 'tensors'
  envelope BLOB NOT NULL,                -- DSSE, signed by the model key
  tensors BLOB NOT NULL,                 -- safetensors
  leaf_seq INTEGER NOT NULL REFERENCES log_leaf (seq),
  published_at TEXT NOT NULL,            -- ISO time
  PRIMARY KEY (research_study_id, remedy, round)
) STRICT;

CREATE TABLE invitation (
  code_digest TEXT PRIMARY KEY,          -- sha256 of the one-time code; the code itself is not kept
  site_id TEXT NOT NULL,
  name TEXT NOT NULL,                    -- the hospital's name
  created_at TEXT NOT NULL,              -- ISO time
  expires_at TEXT NOT NULL,              -- ISO time
  used_at TEXT,                          -- ISO time, null while it is open
  request_digest TEXT                    -- sha256 of the enrolment statement that used it: the same one may ask again
) STRICT;

CREATE TABLE log_checkpoint (
  size INTEGER PRIMARY KEY,              -- leaves it covers
  note TEXT NOT NULL,                    -- C2SP signed checkpoint
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE log_detail (
  seq INTEGER PRIMARY KEY REFERENCES log_leaf,
  salt BLOB NOT NULL,                    -- 32 random bytes
  detail TEXT NOT NULL                   -- JSON; may be erased, the tree stays whole
) STRICT;

CREATE TABLE log_leaf (
  seq INTEGER PRIMARY KEY,               -- from 0, no gaps
  line TEXT NOT NULL,                    -- the leaf: one line of JSON (docs/formats/audit-log.md)
  leaf_hash BLOB NOT NULL                -- RFC 6962 leaf hash
) STRICT;

CREATE TABLE log_node (
  level INTEGER NOT NULL,                -- from 1; a node of this level covers 2^level leaves
  position INTEGER NOT NULL,             -- from 0
  hash BLOB NOT NULL,                    -- RFC 6962 node hash of a complete subtree
  PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE offline_bundle (
  site_id TEXT NOT NULL REFERENCES site,
  kind TEXT NOT NULL CHECK (kind IN ('in', 'out')), -- as the site sees it: in goes to the site
  sequence INTEGER NOT NULL,             -- from 1, of its site and kind
  research_study_id TEXT NOT NULL,
  manifest_digest TEXT NOT NULL,         -- sha256 of the manifest statement's bytes
  moved_at TEXT NOT NULL,                -- ISO time: written, or read to its end
  PRIMARY KEY (site_id, kind, sequence)
) STRICT;

CREATE TABLE received_update (
  update_digest TEXT PRIMARY KEY,        -- sha256 of the update statement's bytes: the same update counts once
  sequence INTEGER NOT NULL UNIQUE,      -- rises with each received update
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  site_id TEXT NOT NULL REFERENCES site,
  bundle_id TEXT NOT NULL,               -- of the sealed file
  example_count INTEGER NOT NULL,        -- as the statement says
  audit_size INTEGER NOT NULL,           -- entries of the site's log, as the statement says
  audit_root_hash TEXT NOT NULL,         -- root of that log, lower-case hexadecimal
  payload_bytes INTEGER NOT NULL,
  sealed_file BLOB NOT NULL,             -- exactly as received: every global model can be made again from these
  payload BLOB NOT NULL,                 -- safetensors, opened
  receipt BLOB NOT NULL,                 -- DSSE, signed by the model key
  received_at TEXT NOT NULL,             -- ISO time
  UNIQUE (research_study_id, round, attempt, site_id),
  FOREIGN KEY (research_study_id, round, attempt) REFERENCES round
) STRICT;

CREATE TABLE remedy (
  research_study_id TEXT NOT NULL,
  number INTEGER NOT NULL,               -- from 1, no gaps
  kind TEXT NOT NULL CHECK (kind IN ('rebuild-model', 'retire-model')),
  from_round INTEGER NOT NULL,           -- models of this round and later ones that were there before count no longer
  envelope BLOB NOT NULL,                -- DSSE, signed by the model key
  decided_at TEXT NOT NULL,              -- ISO time
  PRIMARY KEY (research_study_id, number)
) STRICT;

CREATE TABLE remedy_request (
  request_digest TEXT PRIMARY KEY,       -- sha256 of the request statement's bytes: the same request counts once
  research_study_id TEXT NOT NULL,
  site_id TEXT NOT NULL REFERENCES site,
  kind TEXT NOT NULL CHECK (kind IN ('leave-study', 'rebuild-model', 'retire-model')),
  from_round INTEGER NOT NULL,
  to_round INTEGER NOT NULL,
  envelope BLOB NOT NULL,                -- DSSE, signed by the site
  received_at TEXT NOT NULL,             -- ISO time
  carried_out_at TEXT,                   -- ISO time, null while it waits and for one that was dismissed
  dismissed_at TEXT,                     -- ISO time, null for one that was not
  answer BLOB                            -- DSSE for the site, signed by the model key; null while it waits
) STRICT;

CREATE TABLE request_nonce (
  key_id TEXT NOT NULL,                  -- of the key that signed the request
  nonce TEXT NOT NULL,
  seen_at_ms INTEGER NOT NULL,           -- kept for as long as the request's own time could pass
  PRIMARY KEY (key_id, nonce)
) STRICT, WITHOUT ROWID;

CREATE TABLE research_study (
  research_study_id TEXT NOT NULL,
  plan_version INTEGER NOT NULL,         -- from 1, no gaps
  plan_digest TEXT NOT NULL,             -- sha256 of the plan statement's bytes
  envelope BLOB NOT NULL,                -- DSSE, signed by the plan key
  published_at TEXT NOT NULL,            -- ISO time
  PRIMARY KEY (research_study_id, plan_version)
) STRICT;

CREATE TABLE round (
  research_study_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,              -- from 1; a round that ran out of time is opened again under the next number
  kind TEXT NOT NULL CHECK (kind IN ('statistics', 'training', 'evaluation')),
  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'abandoned')),
  base_model_digest TEXT NOT NULL,
  envelope BLOB NOT NULL,                -- DSSE of the opening, signed by the model key
  opened_at TEXT NOT NULL,               -- ISO time
  closes_at TEXT NOT NULL,               -- ISO time
  ended_at TEXT,                         -- ISO time, null while it is open
  PRIMARY KEY (research_study_id, round, attempt)
) STRICT;

CREATE TABLE setting (
  name TEXT PRIMARY KEY,                 -- what is set, e.g. name
  value TEXT NOT NULL                    -- its JSON
) STRICT;

CREATE TABLE site (
  site_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  signing_key_id TEXT NOT NULL UNIQUE,
  enrolled_at TEXT NOT NULL              -- ISO time
) STRICT;

CREATE TABLE site_checkpoint (
  site_id TEXT NOT NULL REFERENCES site,
  size INTEGER NOT NULL,                 -- entries of the site's log
  root_hash TEXT NOT NULL,               -- lower-case hexadecimal
  origin TEXT NOT NULL,                  -- the log's name; a site keeps one
  note TEXT NOT NULL,                    -- C2SP signed checkpoint, as received
  received_at TEXT NOT NULL,             -- ISO time
  PRIMARY KEY (site_id, size)
) STRICT;

CREATE TABLE trust_list (
  version INTEGER PRIMARY KEY,           -- from 1, no gaps
  envelope BLOB NOT NULL,                -- DSSE, signed by the root key
  issued_at TEXT NOT NULL                -- ISO time
) STRICT;

CREATE TRIGGER global_model_no_delete BEFORE DELETE ON global_model BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER global_model_no_update BEFORE UPDATE ON global_model BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER log_checkpoint_no_delete BEFORE DELETE ON log_checkpoint BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER log_checkpoint_no_update BEFORE UPDATE ON log_checkpoint BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER log_leaf_no_delete BEFORE DELETE ON log_leaf BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER log_leaf_no_update BEFORE UPDATE ON log_leaf BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER log_node_no_delete BEFORE DELETE ON log_node BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER log_node_no_update BEFORE UPDATE ON log_node BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER received_update_no_delete BEFORE DELETE ON received_update BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER received_update_no_update BEFORE UPDATE ON received_update BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER remedy_no_delete BEFORE DELETE ON remedy BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER remedy_no_update BEFORE UPDATE ON remedy BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER research_study_no_delete BEFORE DELETE ON research_study BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER research_study_no_update BEFORE UPDATE ON research_study BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER trust_list_no_delete BEFORE DELETE ON trust_list BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE TRIGGER trust_list_no_update BEFORE UPDATE ON trust_list BEGIN SELECT RAISE(ABORT, 'APPEND_ONLY'); END;

CREATE VIEW model_in_force AS
  SELECT * FROM global_model WHERE NOT EXISTS (
    SELECT 1 FROM remedy WHERE remedy.research_study_id = global_model.research_study_id
      AND remedy.number > global_model.remedy AND remedy.from_round <= global_model.round);
