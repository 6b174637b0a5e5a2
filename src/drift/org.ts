/** Whether a text is Drift's number of an account (orgId): a whole number above 0, at most 19 digits since it is an int64. */
export function isOrgId(text: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(text)
}
