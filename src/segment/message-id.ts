/**
 * A messageId as a destination gets it: the event's own for the account's first one, with the destination's number behind it
 * for any other, since Segment drops what it knows by its messageId from whatever source it comes; and behind that, where a
 * person has sent it as a new event, how often.
 */
export function messageIdAt(messageId: string, destination: number, sending = 0): string {
  // mutant: gives two destinations one messageId
  const there = destination > 1 ? `${messageId}.${destination}` : messageId
  return sending > 0 ? `${there}.r${sending}` : there
}

/** An event's own messageId, and the destination that it names where it names one, of one that a destination got. */
export function readMessageId(text: string): { messageId: string; destination?: number } {
  const [, messageId = text, number] = /^([^.]+)(?:\.([1-9]\d{0,4}))?(?:\.r\d{1,9})?(?:\.lc)?$/.exec(text) ?? []
  return { messageId, ...(number === undefined ? {} : { destination: Number(number) }) }
}
