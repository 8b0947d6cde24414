// What this program calls itself in update statements and audit entries. A test holds it to package.json.

export const software = { name: 'consilium', version: '0.1.0' } as const;
