/** The webhook that every line posts, and how it is known again at Segment's end. A click, as Drift sends it. */

export const token = 'bench-verification-token'

/** `n` makes it different from every other; `at` is when it is posted, in milliseconds since 1970. */
export function webhookOf(org: number, n: number, at: number): string {
  const contact = 21_727_000_000 + (n % 5_000)
  return `{"type":"button_clicked","orgId":${org},"token":"${token}","data":{"id":${9_000_000_000 + n},"orgId":${org},"body":"Yes please!","author":{"type":"contact","id":${contact},"bot":false},"type":"chat","conversationId":${n},"createdAt":${at},"context":{"ip":"172.112.186.190","userAgent":"Mozilla/5.0 (X11; Linux x86_64)","href":"https://shop.example/pricing","title":"Pricing","referrer":"","locale":"en-US","timezone":"America/Los_Angeles","location":{"city":"Los Angeles","region":"California","country":"US","countryName":"United States","postalCode":"90025","latitude":34.038,"longitude":-118.4544}},"attributes":{}}}`
}

export const webhookHeaders = { 'content-type': 'application/json', 'x-verification-token': token }

/** What a Segment message says of the webhook it came from: which one it was, if it was one of ours, and when it was posted. */
export function markOf(message: { properties?: { conversationId?: number }; timestamp: string }): {
  n: number | undefined
  at: number
} {
  return { n: message.properties?.conversationId, at: Date.parse(message.timestamp) }
}

/** Where several generators post to one Segment, the numbers of the nth begin at n times this. */
export const numbersEach = 1_000_000

/** The first account of a bench; the others follow it. */
export const firstOrg = 5_000_001

/** Each account's write key, from which the receiver tells the account. */
export function writeKeyOf(org: number): string {
  return `BenchWriteKey${org}`.padEnd(32, 'x')
}
