/** Capacities the gates are checked at, by trace, with the hit percentage of W-TinyLFU (density climber) measured there. */
export interface GateCell {
  readonly entries: number;
  readonly wTinyLfu: number;
}

export const GATE_CELLS: Readonly<Record<string, readonly GateCell[]>> = {
  'arc-oltp': [
    { entries: 187, wTinyLfu: 19.85 },
    { entries: 250, wTinyLfu: 23.57 },
    { entries: 500, wTinyLfu: 33.44 },
    { entries: 1000, wTinyLfu: 41.15 },
    { entries: 1869, wTinyLfu: 46.45 },
    { entries: 2000, wTinyLfu: 47.04 },
    { entries: 5000, wTinyLfu: 55.87 },
    { entries: 9344, wTinyLfu: 62.25 },
    { entries: 10000, wTinyLfu: 62.84 },
    { entries: 15000, wTinyLfu: 65.8 },
    { entries: 18688, wTinyLfu: 67.3 },
    { entries: 37376, wTinyLfu: 71.71 },
  ],
  web12: [
    { entries: 138, wTinyLfu: 42.8 },
    { entries: 688, wTinyLfu: 65.11 },
    { entries: 1376, wTinyLfu: 72.17 },
    { entries: 2751, wTinyLfu: 77.82 },
  ],
  'mooncake-conversation': [
    { entries: 183, wTinyLfu: 4.46 },
    { entries: 1000, wTinyLfu: 6.84 },
    { entries: 1828, wTinyLfu: 8.82 },
    { entries: 9140, wTinyLfu: 15.57 },
    { entries: 10000, wTinyLfu: 15.77 },
    { entries: 18279, wTinyLfu: 18.94 },
    { entries: 30000, wTinyLfu: 22.28 },
    { entries: 36558, wTinyLfu: 24.31 },
    { entries: 50000, wTinyLfu: 25.95 },
    { entries: 100000, wTinyLfu: 30.14 },
  ],
  'orm-busy': [
    { entries: 76, wTinyLfu: 49.66 },
    { entries: 763, wTinyLfu: 75.41 },
    { entries: 3817, wTinyLfu: 84.84 },
    { entries: 7635, wTinyLfu: 88.67 },
    { entries: 15270, wTinyLfu: 92.86 },
  ],
  'lirs-multi2': [
    { entries: 57, wTinyLfu: 21.3 },
    { entries: 284, wTinyLfu: 43.14 },
    { entries: 500, wTinyLfu: 49.03 },
    { entries: 568, wTinyLfu: 51.31 },
    { entries: 1000, wTinyLfu: 57.4 },
    { entries: 1137, wTinyLfu: 59.22 },
    { entries: 1500, wTinyLfu: 64.43 },
    { entries: 2000, wTinyLfu: 70.03 },
    { entries: 2500, wTinyLfu: 74.34 },
    { entries: 3000, wTinyLfu: 77.75 },
  ],
  'lirs-glimpse': [
    { entries: 25, wTinyLfu: 0.95 },
    { entries: 126, wTinyLfu: 5.34 },
    { entries: 253, wTinyLfu: 12.42 },
    { entries: 500, wTinyLfu: 32.78 },
    { entries: 506, wTinyLfu: 33.17 },
    { entries: 1000, wTinyLfu: 50.84 },
    { entries: 1500, wTinyLfu: 53.57 },
    { entries: 2000, wTinyLfu: 57.96 },
  ],
};
