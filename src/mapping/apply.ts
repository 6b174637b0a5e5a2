/** A call and a destination's options become what is sent there. Pure: the same in, the same out, on every attempt. */
import type { EventPage } from '../events/define.ts'
import { messageBytesMax, textOf } from '../segment/batch.ts'
import type { Call, Track } from '../segment/call.ts'
import { type Attributes, type Chosen, isLeftOut, type LeftOut, type Mapped, type Outcome } from './option.ts'
import { chosen, type OptionName, type Options } from './options.ts'

export interface Sent {
  call: Call
  /** A second event, to go in the same request. */
  extra?: Track
  /** Options that were left off, since the message would have been too large with what they add. */
  leftOff: OptionName[]
}

const noCopies = {}

/** `attributes`: what is known of the contact; undefined where it could not be looked up. */
export function applyOptions(
  call: Call,
  page: EventPage,
  of: Options,
  attributes: Attributes | undefined,
): Sent | LeftOut {
  const steps = chosen(of)
  const begun: Mapped = { page, call, copies: noCopies, attributes }
  const leftOff: OptionName[] = []
  for (;;) {
    const outcome = applyAll(begun, steps, of, leftOff)
    if (isLeftOut(outcome)) return outcome
    // mutant: lets an event die of what an option adds
    const next = isTooLarge(outcome.call) && steps.find(({ name, option }) => option.adds && !leftOff.includes(name))
    if (!next) return sentOf(outcome, leftOff)
    leftOff.push(next.name)
  }
}

function applyAll(
  begun: Mapped,
  steps: ReturnType<typeof chosen>,
  of: Options,
  leftOff: readonly OptionName[],
): Outcome {
  let mapped = begun
  for (const { name, option, setting } of steps) {
    const isOff = leftOff.includes(name)
    if (isOff && !option.shorter) continue
    const outcome = isOff ? option.shorter!(mapped, setting) : option.apply(mapped, setting, of as Chosen)
    if (isLeftOut(outcome)) return outcome
    mapped = outcome
  }
  return mapped
}

function isTooLarge(call: Call): boolean {
  const text = textOf(call)
  return text.length > messageBytesMax || Buffer.byteLength(text) > messageBytesMax
}

function sentOf({ call, extra }: Mapped, leftOff: OptionName[]): Sent {
  if (!extra) return { call, leftOff }
  const { type: _type, ...common } = call
  const { messageId, anonymousId, timestamp, context, integrations, userId } = common
  const track: Track = {
    type: 'track',
    event: extra.event,
    anonymousId,
    messageId: `${messageId}.lc`,
    timestamp,
    context,
    integrations,
    properties: extra.properties,
    ...(userId === undefined ? {} : { userId }),
  }
  return { call, extra: track, leftOff }
}
