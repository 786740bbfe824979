// Drawn on a grid of 16, with the colour of the text around.

const paths = {
  overview: 'M2 9h4V2H2zm0 5h4v-3H2zm8 0h4V7h-4zm0-12v3h4V2z',
  jobs: 'M2 4h12M2 8h12M2 12h8',
  failures: 'M8 2 15 14H1zM8 6.5v3.5M8 11.8v.4',
  queues: 'M2 3h12v3H2zM2 8h9v2.5H2zM2 12.5h6v1.5H2z',
  schedules: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM8 4.5v3.8l2.5 1.5',
  batches: 'M2 5.5 8 2.5l6 3-6 3zM2 8.5l6 3 6-3M2 11.2l6 3 6-3',
  workers: 'M4.5 4.5h7v7h-7zM6.5 1.5v3M9.5 1.5v3M6.5 11.5v3M9.5 11.5v3M1.5 6.5h3M1.5 9.5h3M11.5 6.5h3M11.5 9.5h3',
  integrations: 'M5 1.5v4M11 1.5v4M3 5.5h10v2a5 5 0 0 1-10 0zM8 12.5v2',
  database: 'M2.5 4c0-3 11-3 11 0s-11 3-11 0v8c0 3 11 3 11 0V4M2.5 8c0 3 11 3 11 0',
  operations: 'M8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3M3.4 3.4l2.1 2.1M10.5 10.5l2.1 2.1M12.6 3.4l-2.1 2.1M5.5 10.5l-2.1 2.1',
  alerts: 'M3.5 11.5V7a4.5 4.5 0 0 1 9 0v4.5l1 1h-11zM6.5 14.3h3',
  audit: 'M3 1.5h7l3 3v10H3zM10 1.5v3h3M5.5 8h5M5.5 11h5',
  settings: 'M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7M10.5 2.8v3.4M5.5 9.8v3.4',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 14 14',
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M4.5 3v10M11.5 3v10',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'M2.5 8.5 6 12l7.5-8',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  menu: 'M2 4h12M2 8h12M2 12h12',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z',
  help: 'M6 6a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 11.6v.4M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z',
  star: 'M8 1.8l1.9 4 4.3.5-3.2 3 .9 4.4L8 11.5l-3.9 2.2.9-4.4-3.2-3 4.3-.5z',
  arrow: 'M3 8h9.5M8.5 3.8 12.7 8l-4.2 4.2',
  back: 'M13 8H3.5M7.5 3.8 3.3 8l4.2 4.2',
  replay: 'M3 8a5 5 0 1 0 1.5-3.6L2.5 6.3M2.5 2.5v3.8h3.8',
  trash: 'M2.5 4h11M6 4V2h4v2M4 4l.7 10h6.6L12 4',
  bolt: 'M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z',
  link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5 7.5 13a2.8 2.8 0 0 1-4-4L5 7.5',
  key: 'M10 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM7 9l-5 5M4 12l1.5 1.5',
  full: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  edit: 'M2.5 13.5l.7-3L11 2.7l2.3 2.3-7.8 7.8z',
} as const;

export type icon_name = keyof typeof paths;

export function Icon({ name, size = 16 }: { name: icon_name; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
