// A button beside each secret field that shows what was pasted, and covers it again.
for (const field of document.querySelectorAll('input[type="password"]')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'quiet small'
  const say = () => {
    button.textContent = field.type === 'text' ? 'Hide' : 'Show'
  }
  button.addEventListener('click', () => {
    field.type = field.type === 'text' ? 'password' : 'text'
    say()
    field.focus()
  })
  // What is shown is covered before it is sent, so that no browser offers it as a text that was typed before.
  field.form.addEventListener('submit', () => {
    field.type = 'password'
  })
  const line = document.createElement('div')
  line.className = 'secret'
  field.replaceWith(line)
  line.append(field, button)
  say()
}
