const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const two = (text: string): string => text.padStart(2, '0');

/// The common shapes of a cron expression in words; others are left to the fire times beside them.
export function cronWords(cron: unknown): string {
  const text = String(cron ?? '').trim();
  const named: Record<string, string> = {
    '@hourly': 'every hour', '@daily': 'every day at 00:00', '@midnight': 'every day at 00:00',
    '@weekly': 'every Sunday at 00:00', '@monthly': 'on day 1 of each month at 00:00',
    '@yearly': 'on 1 January at 00:00', '@annually': 'on 1 January at 00:00',
  };
  if (named[text]) return named[text];
  const every = /^@every\s+(.+)$/.exec(text);
  if (every) return `every ${every[1]}`;
  let parts = text.split(/\s+/);
  if (parts.length === 6) {
    if (parts[0] !== '0') {
      const step = /^\*\/(\d+)$/.exec(parts[0]!);
      return step && parts.slice(1).every((p) => p === '*') ? `every ${step[1]} seconds` : '';
    }
    parts = parts.slice(1);
  }
  if (parts.length !== 5) return '';
  const [minute, hour, day, month, week] = parts as [string, string, string, string, string];
  const plain = /^\d+$/;
  if (month !== '*') return '';
  const at = plain.test(minute) && plain.test(hour) ? ` at ${two(hour)}:${two(minute)}` : '';
  if (day === '*' && week === '*') {
    if (minute === '*' && hour === '*') return 'every minute';
    const step = /^\*\/(\d+)$/.exec(minute);
    if (step && hour === '*') return `every ${step[1]} minutes`;
    if (plain.test(minute) && hour === '*') return `every hour at minute ${minute}`;
    const hours = /^\*\/(\d+)$/.exec(hour);
    if (hours && plain.test(minute)) return `every ${hours[1]} hours at minute ${minute}`;
    if (at) return `every day${at}`;
  }
  if (day === '*' && at) {
    if (week === '1-5') return `Monday to Friday${at}`;
    if (/^[0-7]$/.test(week)) return `every ${days[Number(week) % 7]}${at}`;
  }
  if (plain.test(day) && week === '*' && at) return `on day ${day} of each month${at}`;
  return '';
}
