/** What each cache may hold at most, in bytes: the shared one in all, the others per thread. */
export const MAX_CACHE_BYTES = 64 * 1024 * 1024;
