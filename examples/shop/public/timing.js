// Shows what the Server-Timing header says of this page, where the server sends one.
const [page] = performance.getEntriesByType('navigation');
const timings = page?.serverTiming ?? [];
if (timings.length > 0) {
  const words = timings.map(({ name, duration, description }) =>
    description ? `${name}: ${description}` : `${name} ${duration.toFixed(1)} ms`,
  );
  const line = document.querySelector('.timing');
  line.querySelector('span').textContent = words.join(', ');
  line.hidden = false;
}
