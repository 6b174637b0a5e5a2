/** Taking a request for deletion off the list, once a person has handled it. */
import { handleRequest } from '../accounts/actions.ts'
import { Problem } from '../lib/errors.ts'
import type { Command } from './command.ts'
import { org, orgOf, who, withStore } from './store.ts'

export const handled: Command = {
  name: 'handled',
  summary:
    'take a request for deletion off the list, once the person is deleted; until then the request is kept, however old it is',
  options: [org, { flags: '--message <id>', meaning: 'the messageId that `inspect` shows', required: true }],
  examples: ['npx drift-segment-source handled --org 12345 --message drift-AZNdL0gAWlpaWlpaWlpaWlpaWlpa'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const message = String(given.message)
      if (!(await handleRequest(store, orgOf(given.org), message, who)))
        throw new Problem('request_not_there', 'this account has no open request for deletion with this messageId', {
          hint: '`inspect --org N --reason gdpr_delete_requested` lists them',
        })
      context.print('handled: it is not listed any more')
    }),
}
