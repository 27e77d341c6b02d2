/** On /dev/shm it outlives the processes, on a disk also the machine's restart. */
export const options = { path: process.env.SITE_CACHE ?? '/dev/shm/site', maxBytes: '64MB' };
