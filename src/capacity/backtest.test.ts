// Forecasts held against what then came, on real traffic. FULCRUM_TRACES names a folder with traces of the Numenta Anomaly Benchmark (MIT).
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Forecast, HOUR_MS } from './forecast.ts';

const FOLDER = process.env['FULCRUM_TRACES'];
/** Requests at a load balancer for two weeks, and mentions of a company for eight, by five minutes. */
const TRACES = ['nab-elb-requests-5min.csv', 'nab-twitter-ups-5min.csv'];
const WEEK = 168;

for (const file of TRACES) {
  const path = FOLDER === undefined ? null : join(FOLDER, file);
  const skip =
    path === null
      ? 'FULCRUM_TRACES is not set'
      : existsSync(path)
        ? false
        : `there is no ${file} in the folder that FULCRUM_TRACES names`;
  test(`of ${file}, most later hours fall into the band that was foretold`, { skip }, (t) => {
    const { first, values } = busiestByHour(readFileSync(path!, 'utf8'));
    let [inside, above, all] = [0, 0, 0];
    // From the first half on, each day anew, for the week that follows.
    for (let cut = Math.floor(values.length / 2); cut + WEEK / 2 < values.length; cut += 24) {
      const forecast = Forecast.of({ fromMs: first * HOUR_MS, values: values.slice(0, cut) })!;
      for (let i = cut; i < Math.min(cut + WEEK, values.length); i++) {
        const value = values[i] ?? null;
        if (value === null) continue;
        const { low, high } = forecast.at((first + i) * HOUR_MS);
        all++;
        if (value > high) above++;
        else if (value >= low) inside++;
      }
    }
    const share = inside / all;
    t.diagnostic(
      `${all} hours: ${(100 * share).toFixed(1)} % inside, ${((100 * above) / all).toFixed(1)} % above`,
    );
    // 80 % is what the band promises; real traffic has regimes that nobody can foretell.
    assert.ok(share > 0.65 && share < 0.99, `${share}`);
  });
}

/** The busiest five minutes of each hour, since 1970. */
function busiestByHour(csv: string): { first: number; values: (number | null)[] } {
  const hours = new Map<number, number>();
  for (const line of csv.trim().split('\n').slice(1)) {
    const [at, value] = line.split(',');
    const hour = Math.floor(Date.parse(`${at!.replace(' ', 'T')}Z`) / HOUR_MS);
    hours.set(hour, Math.max(hours.get(hour) ?? 0, Number(value)));
  }
  const first = Math.min(...hours.keys());
  const last = Math.max(...hours.keys());
  return { first, values: Array.from({ length: last - first + 1 }, (_, i) => hours.get(first + i) ?? null) };
}
