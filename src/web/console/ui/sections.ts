/**
 * The pages of the console in the order of its navigation. A page is added by a line here, by its routes in ../index.ts,
 * and by a file beside that one.
 */
export interface SectionShown {
  path: string
  name: string
  /** Above the first page of a group. */
  group?: string
}

export const sections = {
  home: { path: '/console', name: 'Home' },
  events: { path: '/console/events', name: 'Events', group: 'Activity' },
  notSent: { path: '/console/not-sent', name: 'Not sent' },
  resend: { path: '/console/resend', name: 'Resend' },
  history: { path: '/console/history', name: 'History' },
  connection: { path: '/console/connection', name: 'Connection', group: 'Settings' },
  mapping: { path: '/console/mapping', name: 'What is sent' },
  alerts: { path: '/console/alerts', name: 'Alerts' },
  website: { path: '/console/website', name: 'Website' },
  privacy: { path: '/console/privacy', name: 'Privacy and audit' },
} as const satisfies Readonly<Record<string, SectionShown>>

export type Section = keyof typeof sections
