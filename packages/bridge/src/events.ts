/** The widget events that reach Segment, and what each of them carries. */

/** A Track's property, and the field of the event's data that it is: `of` names the object it stands in, if it does. */
export type PropertyTable = readonly { readonly property: string; readonly field: string; readonly of?: string }[]

export interface WidgetEvent {
  /** As Drift's widget fires it; in Segment it is a Track `Drift Source Event: <name>`. */
  readonly name: string
  /** Where its data names the visitor's own contact, if it does. `authorId` of other events is a bot or an agent. */
  readonly contact?: string
  readonly properties: PropertyTable
}

const conversationId = { property: 'conversationId', field: 'conversationId' }
const playbookId = { property: 'playbookId', field: 'playbookId' }
const campaignId = { property: 'campaignId', field: 'campaignId' }

export const widgetEvents: readonly WidgetEvent[] = [
  {
    name: 'conversation:firstInteraction',
    contact: 'authorId',
    properties: [conversationId, playbookId, campaignId, { property: 'contactId', field: 'authorId' }],
  },
  {
    name: 'startConversation',
    contact: 'endUserId',
    properties: [
      conversationId,
      { property: 'inboxId', field: 'inboxId' },
      { property: 'contactId', field: 'endUserId' },
      { property: 'email', field: 'endUserEmail' },
    ],
  },
  { name: 'conversation:selected', properties: [{ property: 'driftConversationId', field: 'conversationId' }] },
  {
    name: 'scheduling:requestMeeting',
    properties: [
      { property: 'driftTeamMemberId', field: 'id', of: 'teamMember' },
      { property: 'driftTeamMemberName', field: 'name', of: 'teamMember' },
    ],
  },
  { name: 'conversation:playbookFired', properties: [playbookId, campaignId] },
  { name: 'conversation:playbookClicked', properties: [playbookId, campaignId] },
  { name: 'conversation:playbookDismissed', properties: [playbookId, campaignId] },
  { name: 'campaign:open', properties: [campaignId] },
  { name: 'campaign:dismiss', properties: [campaignId] },
  { name: 'campaign:click', properties: [campaignId] },
  { name: 'campaign:submit', properties: [campaignId] },
  { name: 'sliderMessage:close', properties: [campaignId, playbookId] },
]
