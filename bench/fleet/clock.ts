/** ms of the machine's monotonic clock, the same in all processes. */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
