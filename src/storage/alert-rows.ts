/** What both engines read from the rows of alerts. */
import type { AlertRecipient, AlertWatch, Channel, Message, MessageEnd, MessageKind } from './ports/alerts.ts'

type Row = Readonly<Record<string, unknown>>

export function recipientOf(row: Row): AlertRecipient {
  return {
    org: row.org as string,
    id: row.id as string,
    channel: row.channel as Channel,
    sealed: row.sealed as Uint8Array,
    createdAt: Number(row.created_at),
    ...(row.confirmed_at === null ? {} : { confirmedAt: Number(row.confirmed_at) }),
  }
}

export function watchOf(row: Row): AlertWatch {
  return { org: row.org as string, state: row.state as string, generation: Number(row.generation) }
}

export function messageOf(row: Row): Message {
  const last = {
    at: Number(row.tried_at),
    ms: Number(row.ms),
    status: Number(row.status),
    ...(row.answer === null ? {} : { answer: row.answer as string }),
  }
  return {
    id: row.id as string,
    org: row.org as string,
    recipient: row.recipient as string,
    channel: row.channel as Channel,
    kind: row.kind as MessageKind,
    body: row.body as string,
    createdAt: Number(row.created_at),
    tries: Number(row.tries),
    ...(row.tried_at === null ? {} : { last }),
    ...(row.due_at === null ? {} : { dueAt: Number(row.due_at) }),
    ...(row.ended === null ? {} : { end: row.ended as MessageEnd }),
    ...(row.ended_at === null ? {} : { endedAt: Number(row.ended_at) }),
  }
}
