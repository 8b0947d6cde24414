// What reading all pixels of an imaging series gave (docs/formats/imaging-input.md), kept so that no later round reads them for it again.
// It is the patient's data: it goes with the images that it was made of, and is made again when more of them come.

export const seriesSummaryMigration = `
CREATE TABLE series_summary (
  imaging_series_no INTEGER PRIMARY KEY REFERENCES imaging_series,
  left_out TEXT,                         -- why no slice of it is read; null where they are
  slices TEXT NOT NULL,                  -- JSON, in the order of the slices: of which SOP instance and frame, size, position, orientation
  intensity_shift INTEGER NOT NULL,      -- low bits that keys of intensities are without; 0: none
  intensities BLOB NOT NULL              -- how often each intensity occurs: a key (uint32) and a count (float64) each, little-endian
) STRICT;

CREATE TRIGGER series_summary_outdated AFTER INSERT ON sop_instance BEGIN
  DELETE FROM series_summary WHERE imaging_series_no = new.imaging_series_no;
END;
CREATE TRIGGER series_summary_erased BEFORE DELETE ON sop_instance BEGIN
  DELETE FROM series_summary WHERE imaging_series_no = old.imaging_series_no;
END;
`;
