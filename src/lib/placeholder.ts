/**
 * Texts that stand where a value belongs, as documents and templates have them there. Judged by their kind, so that no random
 * secret is taken for one but by a chance that never comes.
 */

/** They ask for something else in their place. */
const asking = 'your|insert|enter|paste|fill|put|here|change|replace|fixme|todo|tbd|placeholder'
/** What is asked for, and what stands between; of two that begin alike the longer one first. */
const asked =
  'verification|database|password|refresh|webhook|segment|access|client|secret|string|author|oauth|token|drift|value|write|input|auth|goes|host|name|real|text|this|user|with|api|app|key|new|own|the|url|an|id|in|it|me|a'
const words = new RegExp(`(?:${asking}|${asked})[-_ .]*`, 'gi')
const asks = new RegExp(asking, 'i')

const kinds = [
  /^(undefined|null|…|[x*._-]{3,})$/i,
  // As documents have them.
  /^(new-)?(client-(id|secret)|verification-token|access-token)$/i,
  // In brackets: <token>, [verification-token], {secret}. An IPv6 address has colons.
  /^<[a-z…][\p{L}\p{N}\s'’.,:/@?=&()…_-]*>$|^<>$|^\[[a-z][\w .-]*\]$|^\{[a-z][\w .-]*\}$/iu,
  // Not within a name that an address or a path may have, such as know-your-customer.example or replacements.
  /(?<![a-z0-9])(?<![a-z]-)your[_ -]|(?<![a-z0-9])your[_ -](?![^./]{0,60}[./])/i,
  /replace[_ -]?(me(?!nt)|with)/i,
]

/** Variables of a shell, of Kubernetes, of Windows or of a template that nothing has filled in: `.env` fills in none. */
const variables = [
  /^\$[A-Z_][A-Z0-9_]{2,}$|^\$[{(][A-Za-z_]\w*[})]$|^%[A-Z_][A-Z0-9_]*%$/,
  // Within an address, or within anything where its name is in capitals.
  /^[\w.-]+[:=].*\$[{(][A-Za-z_]\w*[:})]|\$[{(][A-Z_][A-Z0-9_]{2,}[:})]/,
  /\{\{.*\}\}/,
]

/** As the end of a sentence, why a text is a placeholder; undefined when it is a value. */
export function placeholderProblem(text: string): string | undefined {
  if (variables.some((one) => one.test(text)))
    return 'is still a placeholder: it holds a variable that nothing has filled in'
  return kinds.some((one) => one.test(text)) || isOfWords(text) ? 'is still a placeholder' : undefined
}

/** Of these words alone, such as `yourtokenhere` and `changeme123`. */
function isOfWords(text: string): boolean {
  return asks.test(text) && /^\d*$/.test(text.replace(words, ''))
}
