/**
 * Fewest subjects behind anything that leaves, whatever a plan says: the limit under which a site withholds counts (C12).
 * Stops a plan from asking for the numbers of one patient.
 */
export const SMALLEST_COHORT = 5;
