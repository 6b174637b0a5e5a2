/**
 * Long work that goes on after a crash, in whichever process: what is to be done, how far it is, and who works on it. As in
 * the inbox, all times come from the caller, and only the holder of the lease may say how far it is.
 */

/** `waiting`: no process has begun it, or one has given it back. The last three have ended. */
export type JobState = 'waiting' | 'running' | 'done' | 'cancelled' | 'failed'

export interface NewJob {
  /** Made by the caller: given twice, it is one job. */
  id: string
  kind: string
  /** The account that it is for; '' when it is for several. */
  org: string
  /** Who wanted it, in words for the audit. */
  who: string
  /** Of the unfinished jobs that have the same one, at most one is there. Absent: any number may be. */
  only?: string
  /** What is to be done, as a text that an engine keeps as it is; it goes when the job ends. */
  input: string
  createdAt: number
}

export interface Job extends NewJob {
  state: JobState
  /** Where the work goes on, as its holder last said; it goes when the job ends. */
  cursor?: string
  /** How much has been done, as a text that an engine keeps as it is; `{}` before its holder has said anything. */
  counts: string
  /** Why it failed. */
  reason?: string
  /** Who has cancelled it: its holder ends it at its next step. */
  cancelledBy?: string
  startedAt?: number
  /** When its holder last said how far it is, or it was changed in another way. */
  changedAt: number
  endedAt?: number
}

export interface JobLease {
  job: Job
  token: number
}

export interface Progress {
  cursor: string
  counts: string
  at: number
}

/** `cancelled`: what was asked for is kept, and the holder is to end the job now. `lost`: nothing is kept. */
export type JobHeld = 'held' | 'cancelled' | 'lost'

/** One step of a job, to be kept together with what the step has done. */
export interface JobStep extends Progress {
  lease: JobLease
  /** The lease lasts until then. */
  until: number
}

export interface JobEnd {
  state: 'done' | 'cancelled' | 'failed'
  counts: string
  reason?: string
  at: number
  /** From then on `sweep` may take it away. */
  keepUntil: number
}

/** One of the audit's. */
interface Entry {
  at: number
  org: string
  who: string
  what: string
  about?: string
}

export interface Jobs {
  /**
   * `there`: one of this id was made before, whatever has become of it. `other`: an unfinished one has the same `only`.
   * Several callers at once make one.
   */
  create(job: NewJob): Promise<'created' | 'there' | 'other'>
  /**
   * Leases the oldest unfinished job of these kinds that no process holds, until then. A lease that ends more than a minute
   * later than this one was made by a clock that is ahead, or has been set back since, and is over. `id`: that job alone.
   */
  claim(kinds: readonly string[], now: number, until: number, id?: string): Promise<JobLease | undefined>
  /** Makes the lease last until then, and says what `advance` would say; how far the job is stays as it is. */
  renew(lease: JobLease, until: number): Promise<JobHeld>
  /**
   * Keeps cursor and counts in one write, and makes the lease last until then. `lost`: the lease is not the caller's any
   * more.
   */
  advance(lease: JobLease, progress: Progress, until: number): Promise<JobHeld>
  /** Gives the lease back, so that any process may go on at once; false when it was not the caller's any more. */
  giveBack(lease: JobLease, now: number): Promise<boolean>
  /**
   * Ends it, with its entry in the audit in the same write; false, and nothing kept, when the lease is not the caller's any
   * more.
   */
  end(lease: JobLease, end: JobEnd, entry?: Entry): Promise<boolean>
  /** Ends one that has not ended and takes it from the process that holds it. Its input is deleted. */
  abandon(id: string, end: JobEnd): Promise<boolean>
  /** Asks the process that holds it, now or next, to end it; false when it has ended, was cancelled before, or never was. */
  cancel(id: string, by: string, now: number): Promise<boolean>
  get(id: string): Promise<Job | undefined>
  /** Newest first: an account's or, where none is named, all. */
  list(limit: number, org?: string): Promise<Job[]>
  /** Takes away the ended ones whose time is over; resolves to how many. */
  sweep(now: number): Promise<number>
}
