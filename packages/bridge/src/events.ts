/** The widget events that reach Segment, and what each of them carries. */
import { each } from './page.ts'

/** A Track's property, and the field of the event's data that it is: `of` names the object it stands in, if it does. */
export type PropertyTable = readonly { readonly property: string; readonly field: string; readonly of?: string }[]

export interface WidgetEvent {
  /** As Drift's widget fires it; in Segment it is a Track `Drift Source Event: <name>`. */
  readonly name: string
  /** Where its data names the visitor's own contact, if it does. `authorId` of other events is a bot or an agent. */
  readonly contact?: string
  readonly properties: PropertyTable
}

/** A line an event: its name and its properties, with the field after `=` where that has another name. */
const lines = `conversation:firstInteraction conversationId playbookId campaignId contactId=authorId
startConversation conversationId inboxId contactId=endUserId email=endUserEmail
conversation:selected driftConversationId=conversationId
scheduling:requestMeeting driftTeamMemberId=teamMember.id driftTeamMemberName=teamMember.name
conversation:playbookFired playbookId campaignId
conversation:playbookClicked playbookId campaignId
conversation:playbookDismissed playbookId campaignId
campaign:open campaignId
campaign:dismiss campaignId
campaign:click campaignId
campaign:submit campaignId
sliderMessage:close campaignId playbookId`

/** What any other event may carry, of what Drift documents: ids and names, no text of the chat. */
const ofOthers =
  'conversationId inboxId playbookId campaignId driftTeamMemberId=teamMember.id driftTeamMemberName=teamMember.name ' +
  'email=data.email email'

export const widgetEvents: readonly WidgetEvent[] = readLines()

/** An event that is not one of the twelve. */
export function otherEvent(name: string): WidgetEvent {
  return eventOf(`${name} ${ofOthers}`)
}

function readLines(): WidgetEvent[] {
  const events: WidgetEvent[] = []
  each(lines.split('\n'), (line) => (events[events.length] = eventOf(line)))
  return events
}

function eventOf(line: string): WidgetEvent {
  const event: { name: string; contact?: string; properties: { property: string; field: string; of?: string }[] } = {
    name: '',
    properties: [],
  }
  each(line.split(' '), (word) => {
    if (event.name === '') {
      event.name = word
      return
    }
    const [property = '', path = property] = word.split('=')
    const [of, field] = path.split('.')
    event.properties[event.properties.length] = field ? { property, field, of: of! } : { property, field: path }
    if (property === 'contactId') event.contact = path
  })
  return event
}
