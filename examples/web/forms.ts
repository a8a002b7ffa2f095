/** The control that a field of an answer is about. */
function controlOf(form: HTMLFormElement, field: string): HTMLInputElement | undefined {
  const control = form.elements.namedItem(field);
  return control instanceof HTMLInputElement ? control : undefined;
}

/** The sentences of a refusal, next to the fields that they are about; the others under the form's last field. */
export function showErrors(form: HTMLFormElement, refusal: unknown): void {
  clearErrors(form);
  for (const [field, sentences] of Object.entries(Object(refusal))) {
    if (field === 'code' || field === 'messages') continue; // for programs
    const error = document.createElement('p');
    error.className = 'error';
    error.textContent = [sentences].flat().join(' ');
    const control = controlOf(form, field);
    if (control) {
      error.id = `${control.id}-error`;
      control.setAttribute('aria-invalid', 'true');
      control.setAttribute('aria-describedby', error.id);
      control.after(error);
    } else {
      error.role = 'alert';
      form.querySelector('button')?.before(error);
    }
  }
  form.querySelector<HTMLInputElement>('[aria-invalid]')?.focus();
}

export function clearErrors(form: HTMLFormElement): void {
  for (const error of form.querySelectorAll('.error')) error.remove();
  for (const control of form.querySelectorAll('[aria-invalid]')) {
    control.removeAttribute('aria-invalid');
    control.removeAttribute('aria-describedby');
  }
}

/** What has been typed into a form, by name. */
export const valuesOf = (form: HTMLFormElement): Record<string, string> =>
  Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
