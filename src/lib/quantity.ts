/** So many of something, in words: `1 event`, `2 events`. */
export function quantity(many: number, one: string, several = `${one}s`): string {
  return `${many} ${many === 1 ? one : several}`
}
