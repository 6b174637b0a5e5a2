/** What pages are made of beside their HTML: styles, scripts and the icon, under addresses that name their bytes. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Routes } from '../../http/server.ts'
import { cacheForEver, fixed } from '../../http/static.ts'

const css = 'text/css; charset=utf-8'
const js = 'text/javascript; charset=utf-8'

const files = {
  'style.css': [new URL('./style.css', import.meta.url), css],
  'icon.svg': [new URL('./assets/icon.svg', import.meta.url), 'image/svg+xml'],
  'live.js': [new URL('./assets/live.js', import.meta.url), js],
  'time.js': [new URL('./assets/time.js', import.meta.url), js],
  'copy.js': [new URL('./assets/copy.js', import.meta.url), js],
  'reveal.js': [new URL('./assets/reveal.js', import.meta.url), js],
  'chart.js': [new URL('./assets/chart.js', import.meta.url), js],
  'uplot.js': [import.meta.resolve('uplot/dist/uPlot.iife.min.js'), js],
  'uplot.css': [import.meta.resolve('uplot/dist/uPlot.min.css'), css],
} as const satisfies Record<string, readonly [file: URL | string, type: string]>

export type Asset = keyof typeof files

const served = Object.entries(files).map(([name, [file, type]]) => {
  const one = fixed(readFileSync(typeof file === 'string' ? fileURLToPath(file) : file), type)
  const path = `/assets/${one.hash}/${name}`
  return {
    name: name as Asset,
    path,
    route: one.route(cacheForEver, { 'cross-origin-resource-policy': 'same-origin' }),
  }
})

const paths = new Map(served.map(({ name, path }) => [name, path]))

/** Where a page finds it. */
export function assetPath(name: Asset): string {
  return paths.get(name)!
}

/** Served without a session: they say nothing of any account. */
export const assetRoutes: Routes = Object.fromEntries(served.map(({ path, route }) => [path, { GET: route }]))
