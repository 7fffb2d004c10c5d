/** The fields of a line of comma-separated values, RFC 4180; a quoted field does not go over several lines. */
export function csvFields(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] !== '"') {
      const end = line.indexOf(',', at);
      fields.push(end < 0 ? line.slice(at) : line.slice(at, end));
      if (end < 0) return fields;
      at = end + 1;
      continue;
    }
    let end = line.indexOf('"', at + 1);
    while (end >= 0 && line[end + 1] === '"') end = line.indexOf('"', end + 2);
    if (end < 0) return [...fields, line.slice(at + 1)];
    fields.push(line.slice(at + 1, end).replaceAll('""', '"'));
    const comma = line.indexOf(',', end);
    if (comma < 0) return fields;
    at = comma + 1;
  }
}

/** A field as a number; null where it is none. Nothing is none: Number('') would be 0. */
export function csvNumber(field: string | undefined): number | null {
  if (field === undefined || field.trim() === '') return null;
  const value = Number(field);
  return Number.isFinite(value) ? value : null;
}
