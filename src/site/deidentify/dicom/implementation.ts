// How objects that Consilium wrote name their writer (PS3.7 D.3.3.2).

export const implementationClassUid = '2.25.236098713467512093471836420198374650913';
/** SH of at most 16 characters. */
export const implementationVersionName = 'CONSILIUM_1';
