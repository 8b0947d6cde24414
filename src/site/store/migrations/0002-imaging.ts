// Images: what may be known of them without opening them (an allow-list, nothing else), where their sealed bytes lie, and what waits for
// a person. UIDs are the new ones (security.md D3); days are moved by the subject's date offset (D4).

export const imagingMigration = `
CREATE TABLE sealed_object (
  object_no INTEGER PRIMARY KEY,         -- rises with each object
  segment INTEGER NOT NULL,              -- names the segment file (docs/formats/object-store.md)
  position INTEGER NOT NULL,             -- first byte in it
  byte_count INTEGER NOT NULL,           -- of the object before it was sealed
  object_key BLOB NOT NULL               -- 32 random bytes that seal this object alone: without this row its bytes are noise
) STRICT;
CREATE INDEX sealed_object_segment ON sealed_object (segment, position, byte_count);

CREATE TABLE imaging_study (
  imaging_study_no INTEGER PRIMARY KEY,  -- rises with each imaging study
  imaging_study_uid TEXT NOT NULL UNIQUE, -- new UID
  subject_no INTEGER NOT NULL REFERENCES subject, -- subject it came for, before any merge; its date offset moves the days
  day INTEGER,                           -- moved by the date offset, null where none is stated
  second INTEGER,                        -- second of that day, null where none is stated
  age_years INTEGER                      -- whole years on that day, above 89 stored as 90; null where unknown
) STRICT;
CREATE INDEX imaging_study_subject ON imaging_study (subject_no, day);

CREATE TABLE imaging_series (
  imaging_series_no INTEGER PRIMARY KEY, -- rises with each imaging series
  imaging_series_uid TEXT NOT NULL UNIQUE, -- new UID
  imaging_study_no INTEGER NOT NULL REFERENCES imaging_study,
  modality TEXT NOT NULL,                -- of the closed list of the standard: MR, CT, SEG; OT for any other
  body_part TEXT,                        -- of a closed list of the standard, null where none or another is stated
  series_number INTEGER,                 -- as the scanner numbered it
  frame_of_reference_uid TEXT            -- new UID: imaging series that share it lie in one coordinate system
) STRICT;
CREATE INDEX imaging_series_study ON imaging_series (imaging_study_no);

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
CREATE INDEX sop_instance_series ON sop_instance (imaging_series_no);

-- Whoever deletes an image has destroyed its file too.
CREATE TRIGGER sop_instance_deleted AFTER DELETE ON sop_instance WHEN old.object_no IS NOT NULL BEGIN
  DELETE FROM sealed_object WHERE object_no = old.object_no;
END;

CREATE TABLE segmentation_source (
  sop_instance_no INTEGER NOT NULL REFERENCES sop_instance, -- the segmentation
  frame INTEGER NOT NULL,                -- of the segmentation, from 1; 0: all of it
  source_uid TEXT NOT NULL,              -- new UID of the image that was segmented, which may come later
  source_frame INTEGER NOT NULL,         -- of that image, from 1; 0: all of it
  PRIMARY KEY (sop_instance_no, frame, source_uid, source_frame)
) STRICT, WITHOUT ROWID;
CREATE INDEX segmentation_source_uid ON segmentation_source (source_uid);

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
`;
