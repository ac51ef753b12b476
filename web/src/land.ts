// SPDX-License-Identifier: AGPL-3.0-or-later
// Boundaries, where the election brings them: TopoJSON with one layer for each level of the map.
import { geoMercator, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import type { Topology, GeometryCollection } from 'topojson-specification';
import type { FeatureCollection } from 'geojson';
import { json } from './dom.js';

export interface Shape {
  d: string;
  x: number;
  y: number;
}

/** Layers are named as levels, in the singular or the plural. A code is a unit's own, or its last part. */
function layer(topology: Topology, level: string): GeometryCollection | null {
  const names = [level, `${level}s`, level.replace(/y$/, 'ies')];
  const found = names.map((n) => topology.objects[n]).find((o) => o?.type === 'GeometryCollection');
  return (found as GeometryCollection | undefined) ?? null;
}

function code(properties: Record<string, unknown> | null, known: { has(code: string): boolean }): string | null {
  const own = String(properties?.['code'] ?? properties?.['county'] ?? '');
  if (known.has(own)) return own;
  const whole = String(properties?.['county'] ?? '') + own;
  return known.has(whole) ? whole : null;
}

/** `known`: for each level the codes of its areas; codes of two levels may be spelt alike ("001"). */
export async function readLand(file: string, levels: string[], known: { has(code: string): boolean }[]): Promise<Map<string, Shape>[]> {
  const topology = await json<Topology>(file);
  const out = levels.map(() => new Map<string, Shape>());
  if (!topology) return out;
  levels.forEach((name, i) => {
    const shapes = layer(topology, name);
    if (!shapes) return;
    const features = feature(topology, shapes) as FeatureCollection;
    const path = geoPath(geoMercator().fitExtent([[4, 4], [596, 716]], features)).digits(1);
    for (const f of features.features) {
      const c = code(f.properties, known[i] ?? new Set());
      const d = path(f);
      const [x, y] = path.centroid(f);
      if (c && d) out[i]?.set(c, { d, x, y });
    }
  });
  return out;
}
