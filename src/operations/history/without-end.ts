/** Finds out that a list does not come to an end, however its tokens look: by what its pages have. */

/** So many pages in a row without a record that can be read: nothing comes any more. */
const emptyMax = 50

export interface EndWatch {
  /**
   * Of each page, in order, the ids that it has. `circle`: the list has begun again from a page that was read before.
   * `endless`: its pages have been empty for too long.
   */
  page(ids: readonly string[]): 'circle' | 'endless' | undefined
}

/**
 * A circle is found without keeping all that was read (Brent): page 1, 2, 4, 8 and so on is remembered until the next of these,
 * and a list that goes in a circle comes by it again. It must do so twice: records that moved may have made a page look like it.
 */
export function watchForEnd(): EndWatch {
  let [pages, empty, again] = [0, 0, 0]
  let remembered = ''
  let nextAt = 1

  return {
    page(ids) {
      pages += 1
      empty = ids.length === 0 ? empty + 1 : 0
      if (empty >= emptyMax) return 'endless'
      const all = ids.join(' ')
      if (all !== '' && all === remembered) again += 1
      if (again >= 2) return 'circle'
      if (pages === nextAt) {
        remembered = all
        again = 0
        nextAt *= 2
      }
      return undefined
    },
  }
}
