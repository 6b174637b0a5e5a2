/** The rules of alerts, for docs/alerts.md: with texts as an admin gets them; numbers and reasons are examples. */
import { type RuleName, ruleNames } from '../src/alerts/rules.ts'
import { sentencesOf, words } from '../src/alerts/words.ts'

export const ruleHead = ['rule', 'name', 'when it begins', 'when it is over']

const reasons: Partial<Record<RuleName, string>> = { failed: 'segment_400', delayed: 'segment_503' }

export const ruleRows = ruleNames.map(rowOf)

function rowOf(rule: RuleName): string[] {
  const examples = { count: 2, minutes: 15, since: 0, reason: reasons[rule] ?? 'segment_401' }
  const texts = (['raised', 'recovered'] as const).map(
    (change) => sentencesOf({ rule, change, ...examples }, { toOperator: false }).text,
  )
  return [`\`${rule}\``, words[rule].name, ...texts]
}
