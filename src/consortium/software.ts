// The release that stands in every log entry. Equal to package.json, which a test holds it to.

export const softwareVersion = '0.1.0';
