// Buttons that copy the text of what they name.
for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false
  const label = button.textContent
  button.addEventListener('click', async () => {
    const from = document.getElementById(button.dataset.copy)
    try {
      await navigator.clipboard.writeText(from.textContent)
      button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(from)
      button.textContent = 'Selected: press Ctrl+C'
    }
    setTimeout(() => {
      button.textContent = label
    }, 2_000)
  })
}
