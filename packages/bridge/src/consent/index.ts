/** The consent managers that can be followed, each by a module and a script of its own; and what it exports. */
export const consentManagers = {
  cookiebot: 'followCookiebot',
  google: 'followGoogle',
  onetrust: 'followOneTrust',
  tcf: 'followTcf',
}
