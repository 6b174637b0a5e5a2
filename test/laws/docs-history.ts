/** What docs/history.md repeats of the code. */
import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../../docs/history.md', import.meta.url), 'utf8')

/** The numbers of a job that the document explains, and why one fails. */
export const explained = [...text.matchAll(/`([a-z]+(?:_[a-z]+)*)`/g)].map(([, word]) => word!)

/** Words with an underscore that do not say why something happened to an event. */
export const wordsOfHistory: Readonly<Record<string, string>> = {
  ...Object.fromEntries(explained.filter((word) => isOfJobs(word)).map((word) => [word, 'docs/history.md has it'])),
  page_token: 'a word of Drift’s lists',
  too_large: 'an answer of Drift’s lists',
  passed_over: 'what came of one record of Drift’s lists',
  job_lost: 'what a process finds out whose work another one has taken over',
}

/** Not the reasons that events have too, nor the names of events and permissions. */
function isOfJobs(word: string): boolean {
  return /^(in_time|no_contact|drift_(refused|endless))$|^(why|sent|missing|contacts|barred|unread)_/.test(word)
}
