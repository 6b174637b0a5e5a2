// Draws the table of numbers as stacked bars; the table stays for people who cannot see them. A click on a bar leads to
// the list of its time.
{
  let plot
  let tip

  const read = () => {
    const place = document.querySelector('[data-chart]')
    const table = document.querySelector('[data-numbers]')
    if (!place || !table) return undefined
    const cells = [...table.querySelectorAll('thead th')].slice(1)
    const { from, step, steps } = place.dataset
    const times = Array.from({ length: Number(steps) }, (_, at) => (Number(from) + at * Number(step)) / 1_000)
    const counts = cells.map(() => new Array(times.length).fill(0))
    for (const row of table.querySelectorAll('tbody tr'))
      row.querySelectorAll('td').forEach((cell, series) => {
        counts[series][row.dataset.at] = Number(cell.textContent.replaceAll(',', ''))
      })
    const names = cells.map((cell) => cell.textContent)
    return {
      place,
      names,
      colours: cells.map((cell) => cell.dataset.colour),
      times,
      counts,
      step: Number(step) / 1_000,
    }
  }

  const sumOf = (values) => values.reduce((sum, value) => sum + value, 0)

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

  const swatch = (name) => {
    const probe = document.createElement('span')
    probe.className = `swatch ${name}`
    document.body.append(probe)
    const found = getComputedStyle(probe).backgroundColor
    probe.remove()
    return found
  }

  const isUtc = () => document.documentElement.dataset.zone === 'utc'

  const draw = () => {
    plot?.destroy()
    tip?.remove()
    plot = undefined
    const data = read()
    // uPlot throws while it loads where the browser's language is not one of Intl, such as en-US@posix.
    if (!data || !window.uPlot) return
    const { place, names, colours, times, counts, step } = data
    place.hidden = false
    // Each bar reaches from the ground to the sum up to its series, the tallest behind.
    const stacked = counts.map((own, at) =>
      own.map((_, step) => sumOf(counts.slice(0, at + 1).map((one) => one[step]))),
    )
    const order = names.map((_, at) => at).reverse()
    const grid = { stroke: colour('--line'), width: 1 }
    const axis = {
      stroke: colour('--faint'),
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      ticks: { show: false },
    }
    tip = document.createElement('div')
    tip.className = 'tip'
    tip.hidden = true
    plot = new uPlot(
      {
        width: place.clientWidth,
        height: 220,
        tzDate: (seconds) => (isUtc() ? uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC') : new Date(seconds * 1_000)),
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: { range: [times[0] - step / 2, times.at(-1) + step / 2] },
          y: { range: (_, _low, high) => [0, Math.max(high * 1.1, 4)] },
        },
        padding: [12, 26, 0, 0],
        axes: [
          { ...axis, size: 28, grid: { show: false }, values: (_, splits) => splits.map((at) => label(at, step)) },
          {
            ...axis,
            grid,
            size: 44,
            values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? short(value) : '')),
          },
        ],
        series: [
          {},
          ...order.map((at) => ({
            label: names[at],
            fill: swatch(colours[at]),
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars({ size: [0.72, 40], radius: at === names.length - 1 ? 0.15 : 0 }),
          })),
        ],
        hooks: { setCursor: [(chart) => show(chart, names, times, counts, step)] },
      },
      [times, ...order.map((at) => stacked[at])],
      place,
    )
    plot.over.append(tip)
    plot.over.addEventListener('click', () => {
      const at = times[plot.cursor.idx]
      if (at === undefined) return
      const text = (seconds) => new Date(seconds * 1_000).toISOString().slice(0, 16)
      const { destination } = place.dataset
      const filter = { from: text(at), to: text(at + step), ...(destination ? { destination } : {}) }
      location.href = `/console/events?${new URLSearchParams(filter)}`
    })
  }

  const show = (chart, names, times, counts, step) => {
    const { idx, left } = chart.cursor
    tip.hidden = idx === null || idx === undefined || left < 0
    if (tip.hidden) return
    const rows = names.map((name, at) => [name, counts[at][idx]]).filter(([, count]) => count > 0)
    const total = sumOf(rows.map(([, count]) => count))
    tip.textContent = [
      label(times[idx], step, true),
      `Total  ${total.toLocaleString('en')}`,
      ...rows.map(([name, count]) => `${name}  ${count.toLocaleString('en')}`),
    ].join('\n')
    const isRight = left > chart.over.clientWidth / 2
    tip.classList.toggle('right', isRight)
    tip.style.left = isRight ? '' : `${left + 14}px`
    tip.style.right = isRight ? `${chart.over.clientWidth - left + 14}px` : ''
  }

  const two = (number) => String(number).padStart(2, '0')
  const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

  const label = (seconds, step, isWhole) => {
    const date = new Date(seconds * 1_000)
    const get = (name) => date[`get${isUtc() ? 'UTC' : ''}${name}`]()
    const day = `${get('Date')} ${months[get('Month')]}`
    const clock = `${two(get('Hours'))}:${two(get('Minutes'))}`
    if (isWhole) return `${day}, ${clock}${isUtc() ? ' UTC' : ''}`
    if (step < 14_400) return clock
    return get('Hours') === 0 ? day : ''
  }

  const short = (value) => (value >= 1_000 ? `${value / 1_000}k` : String(value))

  const resized = new ResizeObserver(([{ contentRect }]) => plot?.setSize({ width: contentRect.width, height: 220 }))
  const watch = () => {
    resized.disconnect()
    draw()
    const place = document.querySelector('[data-chart]')
    if (place) resized.observe(place)
  }
  document.addEventListener('refreshed', watch)
  document.addEventListener('times', watch)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', watch)
  watch()
}
