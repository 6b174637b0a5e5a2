/** Home's problems: what is blocked, failed or not recognized, by reason, with the way to each. */
import { html } from 'hono/html'
import { type Chosen, isOfSeveral, numberIn } from './at-destination.ts'
import type { ProblemGroup } from './figures.ts'
import { addressOf } from './query.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { Html } from './ui/layout.ts'
import { badge, number, since } from './ui/parts.ts'
import { isFinal, needsUpdate } from './ui/reasons.ts'
import { sections } from './ui/sections.ts'
import { words } from './ui/vocabulary.ts'

const stateOfWord: Readonly<Record<string, string>> = {
  failed: 'failed',
  notRecognized: 'not-recognized',
  blocked: 'blocked',
  lookingUp: 'looking-up',
}

export function problemsCard(problems: readonly ProblemGroup[], now: number, chosen: Chosen): Html {
  const at = isOfSeveral(chosen) ? ` at ${chosen.shown.name}` : ''
  if (problems.length === 0)
    return html`<section class="card"><h2>Problems${at}</h2><p class="faint">None: no stored event failed, is blocked, or was not recognized.</p></section>`
  return html`<section class="card sheet" aria-labelledby="problems-title">
    <div class="cardhead inside"><div><h2 id="problems-title">Problems by reason${at}</h2><p class="small faint">Of all stored events, whenever they were received.</p></div></div>
    <table class="cards"><thead><tr><th scope="col">Reason</th><th scope="col">State</th><th scope="col" class="number">Events</th><th scope="col">First seen</th><th scope="col">Last seen</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
    <tbody>${problems.map((problem) => row(problem, now, chosen))}</tbody></table>
  </section>`
}

function row({ word, reason, count, firstAt, lastAt }: ProblemGroup, now: number, chosen: Chosen): Html {
  const { label, level } = words[word]
  const filter = {
    state: stateOfWord[word] ?? '',
    ...(word === 'blocked' ? {} : { reason }),
    destination: numberIn(chosen),
  }
  const { short } = adviceAt(reason, chosen.shown.endpoint)
  const canResend = (word === 'failed' || word === 'notRecognized') && !isFinal(reason) && !needsUpdate(reason)
  const about = html`<span class="hidden">: ${short}</span>`
  return html`<tr>
    <th scope="row"><span title="${reason}">${short}</span></th>
    <td data-label="State">${badge(level, label)}</td>
    <td data-label="Events" class="number">${number(count)}</td>
    <td data-label="First seen">${since(firstAt, now)}</td>
    <td data-label="Last seen">${lastAt === undefined ? html`<span class="faint">–</span>` : since(lastAt, now)}</td>
    <td><div class="row"><a class="button small" href="${addressOf('/console/events', {}, filter)}">Open${about}</a>${
      canResend
        ? html`<a class="button small" href="${addressOf(sections.resend.path, {}, { ...filter, preview: '1' })}">Resend${about}</a>`
        : ''
    }</div></td>
  </tr>`
}
