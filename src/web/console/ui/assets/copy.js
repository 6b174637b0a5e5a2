// Buttons that copy the text of what they name, or the address of the page.
{
  const offer = (button, textOf, select) => {
    button.hidden = false
    const label = button.textContent
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(textOf())
        button.textContent = 'Copied'
      } catch {
        button.textContent = select()
      }
      setTimeout(() => {
        button.textContent = label
      }, 2_000)
    })
  }

  for (const button of document.querySelectorAll('[data-copy]')) {
    const from = document.getElementById(button.dataset.copy)
    offer(
      button,
      () => from.textContent,
      () => {
        from.closest('details')?.setAttribute('open', '')
        getSelection().selectAllChildren(from)
        return 'Selected: press Ctrl+C'
      },
    )
  }
  for (const button of document.querySelectorAll('[data-copy-link]'))
    offer(
      button,
      () => `${location.origin}${location.pathname}`,
      () => 'Copy it from the address bar',
    )
}
