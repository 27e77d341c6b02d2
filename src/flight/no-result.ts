/** What a loader of the library's own throws that has nothing to give: no failure, for which an old value would be served. */
export class NoResult extends Error {}
