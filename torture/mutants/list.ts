/**
 * Services that break the promise on purpose, each by one statement of the source that becomes another in a copy. The
 * suite must catch every one. A comment in the source, `// mutant: NAME`, marks the statement below it.
 */
import { accountMutants } from './accounts.ts'
import type { Mutant } from './mutant.ts'
import { pipelineMutants } from './pipeline.ts'
import { storageMutants } from './storage.ts'

export const mutants: readonly Mutant[] = [...storageMutants, ...pipelineMutants, ...accountMutants]
