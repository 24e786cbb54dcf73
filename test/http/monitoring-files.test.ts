import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { FAMILIES } from '../../src/protocols/http/metrics/families.ts';

const DASHBOARD = new URL('../../deploy/grafana/sluice.json', import.meta.url);
const ALERTS = new URL('../../deploy/prometheus/alerts.yml', import.meta.url);
const PROMTOOL = '/usr/bin/promtool';
/** Prometheus has it itself. */
const OWN_METRICS = ['up'];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly w: number; readonly x: number };
  readonly targets?: readonly { readonly expr: string }[];
}

/** The series that there are, as a scrape calls them; that they are all there is the business of metrics.test.ts. */
const SERIES = new Set([
  ...OWN_METRICS,
  ...Array.from(FAMILIES.values(), ({ name, type }) => (type === 'counter' ? `${name}_total` : `${name}_bucket`)),
  ...Array.from(FAMILIES.values(), ({ name, type }) => (type === 'gauge' ? name : `${name}_count`)),
]);

/** What an expression names: metrics have an underscore, or are Prometheus' own. */
function metricsIn(expr: string): string[] {
  const bare = expr.replaceAll(/"[^"]*"/g, '""').replaceAll(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '');
  return [...bare.matchAll(/(?<![\w$:.{,])([a-z]\w*)(?=\s*(?:\{|\[|[<>=!+*/-]|$|\)|\s(?:and|or|unless)\b))/g)]
    .map(([, name = '']) => name)
    .filter((name) => name.includes('_') || OWN_METRICS.includes(name))
    .filter((name) => !['humanize'].includes(name));
}

describe('the alert rules', () => {
  const { groups } = parse(readFileSync(ALERTS, 'utf8')) as { groups: { name: string; rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);

  test('name metrics that there are', () => {
    for (const { alert, expr } of rules) {
      const names = metricsIn(expr);
      expect([alert, names.length > 0]).toEqual([alert, true]);
      for (const name of names) expect([alert, name, SERIES.has(name)]).toEqual([alert, name, true]);
    }
  });

  test('have all that a rule needs', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const rule of rules) {
      expect(rule.for).toMatch(/^\d+[smh]$/);
      expect(['info', 'warning', 'critical']).toContain(rule.labels.severity);
      expect(Object.keys(rule.annotations)).toEqual(['summary', 'description']);
      expect(Object.keys(rule)).toEqual(['alert', 'expr', 'for', 'labels', 'annotations']);
    }
  });

  test.skipIf(!existsSync(PROMTOOL))('are understood by Prometheus (Debian: prometheus)', () => {
    const said = execFileSync(PROMTOOL, ['check', 'rules', fileURLToPath(ALERTS)], { encoding: 'utf8' });
    expect(said).toContain(`${rules.length} rules found`);
  });
});

describe('the dashboard', () => {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: Panel[] };

  test('names metrics that there are', () => {
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const names = metricsIn(expr);
        expect([title, expr, names.length > 0]).toEqual([title, expr, true]);
        for (const name of names) expect([title, name, SERIES.has(name)]).toEqual([title, name, true]);
      }
    }
  });

  test('has panels that fit beside each other, each with something to show', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { title, type, targets = [], gridPos } of panels) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      expect([title, targets.length > 0]).toEqual([title, type !== 'row']);
    }
  });
});
