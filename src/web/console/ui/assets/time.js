// Times in the reader's own time zone, with UTC where the pointer rests; a switch shows UTC instead, and is remembered.
// Without this script every time stands in UTC and says so.
{
  const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const two = (number) => String(number).padStart(2, '0')
  const units = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
    [1_000, 'second'],
  ]
  let isUtc = false
  try {
    isUtc = localStorage.getItem('times') === 'utc'
  } catch {
    // A browser that keeps nothing shows local times.
  }

  const parts = (date, utc) => {
    const get = (name) => date[`get${utc ? 'UTC' : ''}${name}`]()
    const year =
      get('FullYear') === (utc ? new Date().getUTCFullYear() : new Date().getFullYear()) ? '' : ` ${get('FullYear')}`
    const clock = [get('Hours'), get('Minutes'), get('Seconds')].map(two).join(':')
    return `${get('Date')} ${months[get('Month')]}${year}, ${clock}${utc ? ' UTC' : ''}`
  }

  const ago = (ms) => {
    if (ms < 1_000) return 'just now'
    const [size, word] = units.find(([unit]) => ms >= unit)
    const many = Math.floor(ms / size)
    return `${many} ${word}${many === 1 ? '' : 's'} ago`
  }

  const write = () => {
    document.documentElement.dataset.zone = isUtc ? 'utc' : 'local'
    for (const time of document.querySelectorAll('time[datetime]')) {
      const date = new Date(time.dateTime)
      const isAgo = time.dataset.ago !== undefined
      const text = isAgo ? ago(Date.now() - date) : parts(date, isUtc)
      if (time.textContent !== text) time.textContent = text
      time.title = isAgo && !isUtc ? `${parts(date, false)} (${parts(date, true)})` : parts(date, true)
    }
    for (const button of document.querySelectorAll('button[data-times]')) {
      button.hidden = false
      button.textContent = isUtc ? 'Times in UTC' : `Times in ${zone}`
      button.title = isUtc ? `Show times in ${zone}` : 'Show times in UTC'
    }
  }

  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('button[data-times]')) return
    isUtc = !isUtc
    try {
      localStorage.setItem('times', isUtc ? 'utc' : 'local')
    } catch {
      // Then the choice lasts as long as the page.
    }
    write()
    document.dispatchEvent(new Event('times'))
  })
  document.addEventListener('refreshed', write)
  setInterval(write, 15_000)
  write()
}
